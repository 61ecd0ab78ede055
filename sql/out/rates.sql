-- Gross CO2e of runs over their operations, parameters and tokens. One row per run whose gross CO2e is known.
-- Intervals respect what numerator and denominator share. Hours that were computed from FLOP carry the error of the FLOP, which
-- cancels in kg per FLOP; hours that were not leave it in the denominator. So with tokens that a third party guessed: FLOP were
-- counted from them. Where a bound cuts the hours off, it has cut an unknown part of the error of the FLOP, so none of it is
-- taken away. Published parameters and tokens are exact.
-- SCI for AI (Green Software Foundation) adds the share of making the hardware to the numerator: (O + M) / R, where R is one of
-- the three units of a provider: operations, parameters or training tokens. The hours are one error of O and of M; the other
-- errors of each count by its share of the sum.
with gsds as (
    select
        basis,
        z_90() * ln(gsd) as ln_width
    from core.method
    where factor = 'training_flop'
),

runs as (
    select
        emissions.run_id,
        emissions.parameters,
        emissions.active_parameters,
        emissions.training_flop,
        sizes.training_tokens,
        emissions.co2e_gross_t * 1000 as gross_kg, -- t to kg
        embodied.embodied_t * 1000 as embodied_kg, -- t to kg
        gross_kg / (gross_kg + embodied_kg) as gross_share,
        ln(embodied.embodied_t_p95 / embodied.embodied_t) as embodied_ln_above,
        ln(embodied.embodied_t / embodied.embodied_t_p05) as embodied_ln_below,
        ln(hours.p95 / hours.value) as hours_ln_above,
        ln(hours.value / hours.p05) as hours_ln_below,
        ln(emissions.co2e_gross_t_p95 / emissions.co2e_gross_t) as ln_above,
        ln(emissions.co2e_gross_t / emissions.co2e_gross_t_p05) as ln_below,
        coalesce(emissions.chip_hours_basis like 'flop_%', false) as are_hours_from_flop,
        coalesce(hours.distribution = 'bounded_lognormal', false) as are_hours_bounded,
        coalesce(of_flop.ln_width, 0) as flop_ln_width,
        if(sizes.training_tokens_basis = 'assumed' and not are_hours_from_flop, guessed.ln_width, 0) as tokens_ln_width
    from out.emissions as emissions
    inner join core.training_runs as facts on emissions.run_id = facts.run_id
    left join out.model_sizes as sizes on emissions.run_id = sizes.run_id
    left join out.embodied_emissions as embodied on emissions.run_id = embodied.run_id
    left join out.emission_factors as hours on emissions.run_id = hours.run_id and hours.factor = 'chip_hours'
    left join gsds as of_flop on facts.flop_confidence = of_flop.basis
    left join gsds as guessed on guessed.basis = 'speculative'
    where emissions.co2e_gross_t > 0
),

formula as (
    select
        *,
        gross_kg / (training_flop / 1e18) as kg_per_exaflop,
        gross_kg / (parameters / 1e9) as kg_per_billion_parameters,
        gross_kg / (active_parameters / 1e9) as kg_per_billion_active_parameters,
        gross_kg / (training_tokens / 1e9) as kg_per_billion_tokens,
        (gross_kg + embodied_kg) / (training_flop / 1e18) as sci_kg_per_exaflop,
        (gross_kg + embodied_kg) / (parameters / 1e9) as sci_kg_per_billion_parameters,
        (gross_kg + embodied_kg) / (training_tokens / 1e9) as sci_kg_per_billion_tokens,
        sqrt(
            pow(hours_ln_above, 2)
            + greatest(pow(ln_above, 2) - pow(hours_ln_above, 2), 0) * pow(gross_share, 2)
            + greatest(pow(embodied_ln_above, 2) - pow(hours_ln_above, 2), 0) * pow(1 - gross_share, 2)
        ) as sci_ln_above,
        sqrt(
            pow(hours_ln_below, 2)
            + greatest(pow(ln_below, 2) - pow(hours_ln_below, 2), 0) * pow(gross_share, 2)
            + greatest(pow(embodied_ln_below, 2) - pow(hours_ln_below, 2), 0) * pow(1 - gross_share, 2)
        ) as sci_ln_below,
        case when not are_hours_from_flop then 1 when are_hours_bounded then 0 else -1 end
        * pow(flop_ln_width, 2) as flop_ln_square,
        sqrt(greatest(pow(ln_above, 2) + flop_ln_square, 0)) as flop_ln_above,
        sqrt(greatest(pow(ln_below, 2) + flop_ln_square, 0)) as flop_ln_below,
        sqrt(pow(ln_above, 2) + pow(tokens_ln_width, 2)) as tokens_ln_above,
        sqrt(pow(ln_below, 2) + pow(tokens_ln_width, 2)) as tokens_ln_below,
        sqrt(greatest(pow(sci_ln_above, 2) + flop_ln_square, 0)) as sci_flop_ln_above,
        sqrt(greatest(pow(sci_ln_below, 2) + flop_ln_square, 0)) as sci_flop_ln_below,
        sqrt(pow(sci_ln_above, 2) + pow(tokens_ln_width, 2)) as sci_tokens_ln_above,
        sqrt(pow(sci_ln_below, 2) + pow(tokens_ln_width, 2)) as sci_tokens_ln_below
    from runs
)

select
    run_id,
    kg_per_exaflop,
    kg_per_exaflop * exp(-flop_ln_below) as kg_per_exaflop_p05,
    kg_per_exaflop * exp(flop_ln_above) as kg_per_exaflop_p95,
    kg_per_billion_parameters,
    kg_per_billion_parameters * exp(-ln_below) as kg_per_billion_parameters_p05,
    kg_per_billion_parameters * exp(ln_above) as kg_per_billion_parameters_p95,
    kg_per_billion_active_parameters,
    kg_per_billion_active_parameters * exp(-ln_below) as kg_per_billion_active_parameters_p05,
    kg_per_billion_active_parameters * exp(ln_above) as kg_per_billion_active_parameters_p95,
    kg_per_billion_tokens,
    kg_per_billion_tokens * exp(-tokens_ln_below) as kg_per_billion_tokens_p05,
    kg_per_billion_tokens * exp(tokens_ln_above) as kg_per_billion_tokens_p95,
    sci_kg_per_exaflop,
    sci_kg_per_exaflop * exp(-sci_flop_ln_below) as sci_kg_per_exaflop_p05,
    sci_kg_per_exaflop * exp(sci_flop_ln_above) as sci_kg_per_exaflop_p95,
    sci_kg_per_billion_parameters,
    sci_kg_per_billion_parameters * exp(-sci_ln_below) as sci_kg_per_billion_parameters_p05,
    sci_kg_per_billion_parameters * exp(sci_ln_above) as sci_kg_per_billion_parameters_p95,
    sci_kg_per_billion_tokens,
    sci_kg_per_billion_tokens * exp(-sci_tokens_ln_below) as sci_kg_per_billion_tokens_p05,
    sci_kg_per_billion_tokens * exp(sci_tokens_ln_above) as sci_kg_per_billion_tokens_p95
from formula
