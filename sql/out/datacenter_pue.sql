-- PUE and on-site water use by operator, site and period. One row per site and period.
select
    *,
    source_id(source_url) as source_id
from core.datacenter_pue
