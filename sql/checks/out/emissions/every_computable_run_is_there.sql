-- A run has an energy if its accelerator has a rating and its chip-hours, chips x hours or FLOP are known. A lost run
-- would not be noticed.
select
    runs.run_id,
    runs.hardware
from core.training_runs as runs
inner join core.hardware as hardware on runs.hardware_id = hardware.hardware_id
where
    hardware.tdp_w is not null
    and (runs.chip_hours is not null or (runs.chips is not null and runs.training_hours is not null))
    and runs.run_id not in (select emissions.run_id from out.emissions as emissions)
