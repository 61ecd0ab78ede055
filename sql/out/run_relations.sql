-- Runs that have the same figures, or share a training, with the reason; and old ids of merged runs. One row per pair.
select
    *,
    source_id(source_url) as source_id
from core.run_relations
