-- Published embodied emissions of accelerators and their hosts. One row per published figure.
select
    *,
    source_id(source_url) as source_id
from raw.embodied_carbon
