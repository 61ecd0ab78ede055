-- Where runs took place, from other texts than the source of their hours. One row per run and operator.
select
    run_id,
    provider,
    cloud_region,
    site,
    site_country,
    location_basis,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from raw.run_locations
