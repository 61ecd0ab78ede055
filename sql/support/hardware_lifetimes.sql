-- Published service lives of accelerated servers. One row per source.
select
    lifetime_id,
    lifetime_years,
    in_use_fraction,
    applies_to,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from raw.hardware_lifetimes
