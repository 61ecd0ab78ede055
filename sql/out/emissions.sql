-- Energy and operational CO2e of each training run. One row per run whose energy is known or can be computed.
-- Read top to bottom as the formula. The distances of the ends of an interval from its value, as logarithms, add in
-- squares, above and below apart: exact for lognormal factors. Values are medians, which do not add up; means do.
-- Market-based tonnes are after contracts and certificates of a year, never mixed with net: their interval is that of the energy
-- alone, because what a company's contracts leave for one run is not published.
-- Leaves out idle capacity, failed runs and experiments before the final run; embodied_emissions and water_use stand beside.
with factors as (
    select
        run_id,
        max(value) filter (where factor = 'chip_hours') as chip_hours,
        max(value) filter (where factor = 'watts_per_chip') as watts_per_chip,
        max(value) filter (where factor = 'pue') as pue,
        max(value) filter (where factor = 'gross_kg_per_kwh') as gross_kg_per_kwh,
        max(value) filter (where factor = 'net_kg_per_kwh') as net_kg_per_kwh,
        max(ln(p95 / value)) filter (where factor = 'chip_hours' and value > 0) as chip_hours_ln_above,
        max(ln(value / p05)) filter (where factor = 'chip_hours' and value > 0) as chip_hours_ln_below,
        max(mean) filter (where factor = 'chip_hours') as mean_chip_hours,
        max(ln(p95 / value)) filter (where factor = 'watts_per_chip' and value > 0) as watts_ln_above,
        max(ln(value / p05)) filter (where factor = 'watts_per_chip' and value > 0) as watts_ln_below,
        max(mean) filter (where factor = 'watts_per_chip') as mean_watts_per_chip,
        max(ln(p95 / value)) filter (where factor = 'pue' and value > 0) as pue_ln_above,
        max(ln(value / p05)) filter (where factor = 'pue' and value > 0) as pue_ln_below,
        max(mean) filter (where factor = 'pue') as mean_pue,
        max(ln(p95 / value)) filter (where factor = 'gross_kg_per_kwh' and value > 0) as gross_ln_above,
        max(ln(value / p05)) filter (where factor = 'gross_kg_per_kwh' and value > 0) as gross_ln_below,
        max(mean) filter (where factor = 'gross_kg_per_kwh') as mean_gross_kg_per_kwh,
        max(ln(p95 / value)) filter (where factor = 'net_kg_per_kwh' and value > 0) as net_ln_above,
        max(ln(value / p05)) filter (where factor = 'net_kg_per_kwh' and value > 0) as net_ln_below,
        max(mean) filter (where factor = 'net_kg_per_kwh') as mean_net_kg_per_kwh,
        max(solidity) filter (where factor = 'chip_hours') as chip_hours_solidity,
        max(solidity) filter (where factor = 'watts_per_chip') as watts_solidity,
        max(basis) filter (where factor = 'chip_hours') as chip_hours_basis,
        max(basis) filter (where factor = 'watts_per_chip') as watts_basis,
        max(basis) filter (where factor = 'pue') as pue_basis,
        max(basis) filter (where factor = 'gross_kg_per_kwh') as gross_basis,
        max(basis) filter (where factor = 'net_kg_per_kwh') as net_basis,
        max(intensity_basis) filter (where factor = 'gross_kg_per_kwh') as intensity_basis
    from out.emission_factors
    group by run_id
),

reported_method as (
    select
        ln(gsd) as ln_gsd,
        solidity
    from core.method
    where factor = 'energy_mwh' and basis = 'reported'
),

formula as (
    select
        runs.run_id,
        factors.chip_hours * factors.watts_per_chip * factors.pue / 1e6 as computed_energy_mwh, -- Wh to MWh
        reported.reported_energy_mwh
        * if(reported.reported_includes_pue is false, coalesce(reported.reported_pue, factors.pue), 1)
            as reported_at_datacenter_mwh, -- that of the computers x PUE, its authors' own first
        coalesce(computed_energy_mwh, reported_at_datacenter_mwh) as energy_mwh,
        energy_mwh * factors.gross_kg_per_kwh as co2e_gross_t, -- MWh x kg/kWh is t
        energy_mwh * factors.net_kg_per_kwh as co2e_net_t, -- MWh x kg/kWh is t
        energy_mwh * lifecycle.value as co2e_lifecycle_t, -- MWh x kg/kWh is t
        energy_mwh * market.market_kg_per_kwh as co2e_market_t, -- MWh x kg/kWh is t
        market.market_kg_per_kwh,
        market.market_basis,
        market.market_year,
        if(
            computed_energy_mwh is null,
            z_90() * reported_method.ln_gsd,
            sqrt(pow(factors.chip_hours_ln_above, 2) + pow(factors.watts_ln_above, 2) + pow(factors.pue_ln_above, 2))
        ) as energy_ln_above,
        if(
            computed_energy_mwh is null,
            z_90() * reported_method.ln_gsd,
            sqrt(pow(factors.chip_hours_ln_below, 2) + pow(factors.watts_ln_below, 2) + pow(factors.pue_ln_below, 2))
        ) as energy_ln_below,
        if(
            computed_energy_mwh is null,
            energy_mwh * exp(pow(reported_method.ln_gsd, 2) / 2),
            factors.mean_chip_hours * factors.mean_watts_per_chip * factors.mean_pue / 1e6 -- Wh to MWh
        ) as energy_mwh_mean,
        sqrt(pow(energy_ln_above, 2) + pow(coalesce(factors.gross_ln_above, 0), 2)) as gross_ln_above,
        sqrt(pow(energy_ln_below, 2) + pow(coalesce(factors.gross_ln_below, 0), 2)) as gross_ln_below,
        sqrt(pow(energy_ln_above, 2) + pow(coalesce(factors.net_ln_above, 0), 2)) as net_ln_above,
        sqrt(pow(energy_ln_below, 2) + pow(coalesce(factors.net_ln_below, 0), 2)) as net_ln_below,
        widened(energy_ln_above, ln(lifecycle.gsd)) as lifecycle_ln_above,
        widened(energy_ln_below, ln(lifecycle.gsd)) as lifecycle_ln_below,
        energy_mwh_mean * factors.mean_gross_kg_per_kwh as co2e_gross_t_mean, -- MWh x kg/kWh is t
        energy_mwh_mean * factors.mean_net_kg_per_kwh as co2e_net_t_mean, -- MWh x kg/kWh is t
        energy_mwh_mean * lifecycle.value * exp(pow(ln(lifecycle.gsd), 2) / 2) as co2e_lifecycle_t_mean, -- MWh x kg/kWh is t
        if(computed_energy_mwh is null, 'reported', 'computed') as energy_basis,
        solidity_of(
            case
                when computed_energy_mwh is null
                    then if(reported.reported_is_metered, 'measured', reported_method.solidity)
                when factors.chip_hours_solidity = 'disclosed' and factors.watts_solidity = 'measured' then 'measured'
                else factors.chip_hours_solidity
            end,
            energy_ln_above + energy_ln_below
        ) as solidity
    from core.training_runs as runs
    left join factors on runs.run_id = factors.run_id
    left join core.grid_by_basis as lifecycle
        on runs.run_id = lifecycle.run_id and lifecycle.intensity_basis = 'lifecycle'
    left join core.reported_totals as reported on runs.run_id = reported.run_id
    left join core.market_based as market on runs.run_id = market.run_id
    cross join reported_method
),

-- Of the runs that share a training with this one, the one to count.
shared as (
    select
        relations.run_id,
        arg_min(
            relations.other_run_id,
            row(others.covers <> 'one_run', coalesce(others.published_date, date '9999-12-31'), others.run_id)
        ) as energy_shared_with
    from core.run_relations as relations
    inner join core.training_runs as others on relations.other_run_id = others.run_id
    where relations.relation in ('same_training', 'undecided')
    group by relations.run_id
)

select
    runs.run_id,
    runs.model,
    runs.developer,
    runs.organisation,
    runs.organisations,
    runs.developer_country,
    runs.published_date,
    runs.domain,
    runs.covers,
    runs.parameters,
    runs.active_parameters,
    runs.training_flop,
    runs.hardware_id,
    runs.chips,
    runs.training_hours,
    factors.chip_hours,
    factors.watts_per_chip,
    factors.pue,
    factors.gross_kg_per_kwh,
    factors.net_kg_per_kwh,
    formula.energy_mwh,
    formula.energy_mwh * exp(-formula.energy_ln_below) as energy_mwh_p05,
    formula.energy_mwh * exp(formula.energy_ln_above) as energy_mwh_p95,
    formula.energy_mwh_mean,
    formula.co2e_gross_t,
    formula.co2e_gross_t * exp(-formula.gross_ln_below) as co2e_gross_t_p05,
    formula.co2e_gross_t * exp(formula.gross_ln_above) as co2e_gross_t_p95,
    formula.co2e_gross_t_mean,
    formula.co2e_net_t,
    formula.co2e_net_t * exp(-formula.net_ln_below) as co2e_net_t_p05,
    formula.co2e_net_t * exp(formula.net_ln_above) as co2e_net_t_p95,
    formula.co2e_net_t_mean,
    formula.co2e_lifecycle_t,
    formula.co2e_lifecycle_t * exp(-formula.lifecycle_ln_below) as co2e_lifecycle_t_p05,
    formula.co2e_lifecycle_t * exp(formula.lifecycle_ln_above) as co2e_lifecycle_t_p95,
    formula.co2e_lifecycle_t_mean,
    formula.co2e_market_t,
    formula.co2e_market_t * exp(-formula.energy_ln_below) as co2e_market_t_p05,
    formula.co2e_market_t * exp(formula.energy_ln_above) as co2e_market_t_p95,
    formula.market_kg_per_kwh,
    formula.market_basis,
    formula.market_year,
    formula.solidity,
    factors.chip_hours_basis,
    if(factors.chip_hours_basis like 'flop_%', null, runs.hours_stated_by) as hours_stated_by,
    runs.assumption,
    factors.watts_basis,
    factors.pue_basis,
    factors.gross_basis,
    factors.net_basis,
    factors.intensity_basis,
    formula.energy_basis,
    shared.energy_shared_with,
    runs.site_country,
    runs.cloud_region,
    runs.site,
    runs.provider,
    runs.run_year,
    reported.reported_energy_mwh,
    reported.reported_energy_scope,
    reported.reported_co2e_t,
    source_id(runs.source_url) as source_id,
    runs.source_title,
    runs.source_url,
    runs.source_locator,
    runs.verified
from core.training_runs as runs
inner join formula on runs.run_id = formula.run_id
left join factors on runs.run_id = factors.run_id
left join core.reported_totals as reported on runs.run_id = reported.run_id
left join shared on runs.run_id = shared.run_id
where formula.energy_mwh is not null
