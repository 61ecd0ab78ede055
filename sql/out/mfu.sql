-- Observed model FLOP utilisation. One row per observation; suspect and repeated ones are named.
select
    *,
    source_id(source_url) as source_id
from raw.mfu
