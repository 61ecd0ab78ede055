-- Where runs took place, from other texts than the source of their hours. One row per run and operator.
select
    *,
    source_id(source_url) as source_id
from raw.run_locations
