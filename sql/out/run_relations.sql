-- Runs that have the same figures, or share a training, with the reason; and old ids of merged runs. One row per pair.
select
    run_id,
    other_run_id,
    relation,
    relation_note,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from core.run_relations
