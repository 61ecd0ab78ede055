-- A run that names an accelerator must find it; else its estimate would fall to a coarser rung unseen.
select
    run_id,
    hardware
from core.training_runs
where hardware is not null and hardware_id is null
