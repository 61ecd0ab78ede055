-- Chip-hours of each run by every rung that its facts allow. One row per run and rung.
select
    run_id,
    'disclosed' as basis,
    chip_hours as value,
    run_year as factor_year,
    source_title,
    source_url,
    source_locator,
    verified
from core.training_runs
where chip_hours is not null
union all
select
    run_id,
    'chips_x_hours' as basis,
    chips * training_hours as value,
    run_year as factor_year,
    source_title,
    source_url,
    source_locator,
    verified
from core.training_runs
where chips is not null and training_hours is not null
union all
select
    runs.run_id,
    if(runs.hardware_id is null, 'flop_by_era', 'flop_over_throughput') as basis,
    runs.training_flop / throughput.sustained_flop_per_s / 3600 as value, -- seconds to hours
    runs.run_year as factor_year,
    runs.source_title,
    runs.source_url,
    runs.source_locator,
    runs.verified
from core.training_runs as runs
inner join core.throughput as throughput on runs.assumed_hardware_id = throughput.hardware_id
where runs.training_flop is not null
