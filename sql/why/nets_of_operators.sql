-- The net intensities of the locations of one run's operators, each with its weight. One row per location.
select
    location_id || ' of ' || provider || ', as of ' || factor_year as name,
    net_kg_per_kwh as value,
    'kg/kWh' as unit,
    weight_fraction,
    source_id,
    source_title,
    source_url,
    source_locator,
    verified
from support.location_mixes
where run_id = getvariable('run_id')
