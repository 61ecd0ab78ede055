-- Energy scores of MLPerf Training submissions, recomputed from their logs. One row per submission.
select
    round,
    submitter,
    system,
    benchmark,
    hardware_id,
    chips,
    nodes,
    runs,
    scaling_factor,
    measured_at,
    score_time_minutes,
    score_energy_j,
    windowed_energy_kwh,
    windowed_watts_per_chip,
    published_energy_j,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from raw.mlperf_power_scores
