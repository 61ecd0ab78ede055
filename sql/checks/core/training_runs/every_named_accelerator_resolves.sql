-- A curated run that names an accelerator must find it; else its estimate would fall to a coarser rung unseen.
-- What upstream names and this project does not know is listed in out.unresolved.
select
    runs.run_id,
    runs.hardware
from core.training_runs as runs
inner join raw.training_runs as curated on runs.run_id = curated.run_id
where runs.hardware is not null and runs.hardware_id is null
