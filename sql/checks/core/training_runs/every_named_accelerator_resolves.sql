-- If a curated run names an accelerator, it must be found. Otherwise the run would silently get a less certain basis.
-- Unknown accelerators of upstream runs are listed in support.unresolved.
select
    runs.run_id,
    runs.hardware
from core.training_runs as runs
inner join raw.training_runs as curated on runs.run_id = curated.run_id
where runs.hardware is not null and runs.hardware_id is null
