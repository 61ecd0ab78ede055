-- Estimates of what the developer has not published yet. One row per run and quantity.
-- `ote release make` keeps them in warehouse/released/forecasts.csv; out.forecasts scores them once a figure is published.
with estimates as (
    select
        run_id,
        'chip_hours' as quantity,
        value as estimate,
        value / pow(gsd, z_90()) as p05,
        value * pow(gsd, z_90()) as p95
    from out.emission_factors
    where factor = 'chip_hours'
    union all
    select
        run_id,
        'energy_mwh' as quantity,
        energy_mwh as estimate,
        energy_mwh_p05 as p05,
        energy_mwh_p95 as p95
    from out.emissions
    union all
    select
        run_id,
        'co2e_gross_t' as quantity,
        co2e_gross_t as estimate,
        co2e_gross_t_p05 as p05,
        co2e_gross_t_p95 as p95
    from out.emissions
    union all
    select
        run_id,
        'co2e_net_t' as quantity,
        co2e_net_t as estimate,
        co2e_net_t_p05 as p05,
        co2e_net_t_p95 as p95
    from out.emissions
)

select
    estimates.run_id,
    estimates.quantity,
    three_digits(estimates.estimate) as estimate,
    three_digits(estimates.p05) as p05,
    three_digits(estimates.p95) as p95
from estimates
inner join out.emissions as emissions on estimates.run_id = emissions.run_id
anti join support.published_quantities as published
    on estimates.run_id = published.run_id and estimates.quantity = published.quantity
where
    estimates.estimate > 0
    and emissions.covers = 'one_run'
    and emissions.energy_basis = 'computed'
