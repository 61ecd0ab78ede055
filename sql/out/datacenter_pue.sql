-- PUE and on-site water use by operator, site and period. One row per site and period.
select
    provider,
    site,
    cloud_region,
    country,
    period,
    pue,
    pue_basis,
    wue_l_per_kwh,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from core.datacenter_pue
