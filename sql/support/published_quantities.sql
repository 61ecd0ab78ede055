-- Hours, energy and emissions that the developer of a run has published. One row per figure.
select
    run_id,
    'chip_hours' as quantity,
    value as published_value,
    source_title,
    source_url,
    source_locator
from out.emission_factors
where factor = 'chip_hours' and solidity in ('measured', 'disclosed')
union all
select
    run_id,
    case
        when quantity = 'energy_mwh' then 'energy_mwh'
        when basis = 'gross_location' then 'co2e_gross_t'
        when basis = 'net_hourly' then 'co2e_net_t'
    end as quantity,
    value as published_value,
    source_title,
    source_url,
    source_locator
from raw.published_footprints
where
    covers = 'one_run'
    and status = 'published'
    and published_by = 'developer'
    and value > 0
    and (quantity = 'energy_mwh' or basis in ('gross_location', 'net_hourly'))
