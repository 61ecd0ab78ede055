-- Gross CO2e of runs over their operations, parameters and tokens. One row per run whose gross CO2e is known.
-- Intervals respect what numerator and denominator share. Hours that were computed from FLOP carry the error of the FLOP, which
-- cancels in kg per FLOP; hours that were not leave it in the denominator. So with tokens that a third party guessed: FLOP were
-- counted from them. Published parameters and tokens are exact.
-- SCI for AI (Green Software Foundation) adds the share of making the hardware to the numerator: (O + M) / R.
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
        ln(emissions.co2e_gross_t_p95 / emissions.co2e_gross_t) as ln_above,
        ln(emissions.co2e_gross_t / emissions.co2e_gross_t_p05) as ln_below,
        coalesce(emissions.chip_hours_basis like 'flop_%', false) as are_hours_from_flop,
        coalesce(of_flop.ln_width, 0) as flop_ln_width,
        if(sizes.training_tokens_basis = 'assumed' and not are_hours_from_flop, guessed.ln_width, 0) as tokens_ln_width
    from out.emissions as emissions
    inner join core.training_runs as facts on emissions.run_id = facts.run_id
    left join out.model_sizes as sizes on emissions.run_id = sizes.run_id
    left join out.embodied_emissions as embodied on emissions.run_id = embodied.run_id
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
        if(are_hours_from_flop, -1, 1) * pow(flop_ln_width, 2) as flop_ln_square,
        sqrt(greatest(pow(ln_above, 2) + flop_ln_square, 0)) as flop_ln_above,
        sqrt(greatest(pow(ln_below, 2) + flop_ln_square, 0)) as flop_ln_below,
        sqrt(pow(ln_above, 2) + pow(tokens_ln_width, 2)) as tokens_ln_above,
        sqrt(pow(ln_below, 2) + pow(tokens_ln_width, 2)) as tokens_ln_below
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
    sci_kg_per_exaflop
from formula
