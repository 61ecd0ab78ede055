-- Published service lives of accelerated servers. One row per source.
select
    *,
    source_id(source_url) as source_id
from raw.hardware_lifetimes
