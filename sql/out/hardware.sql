-- Accelerators and what their makers rate them at. One row per accelerator; peaks are dense, never sparse.
select
    *,
    source_id(source_url) as source_id
from core.hardware
