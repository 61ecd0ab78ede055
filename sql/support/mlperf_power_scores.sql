-- Energy scores of MLPerf Training submissions, recomputed from their logs. One row per submission.
select
    *,
    source_id(source_url) as source_id
from raw.mlperf_power_scores
