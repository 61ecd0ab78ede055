-- Energy of MLPerf Training runs from their power logs. One row per run; duplicates are named.
select
    *,
    source_id(source_url) as source_id
from core.mlperf_energy
