-- A run with an accelerator of known rating and with chip-hours, chips x hours or FLOP has an energy; losing it would be silent.
select
    runs.run_id,
    runs.hardware
from core.training_runs as runs
inner join core.hardware as hardware on runs.hardware_id = hardware.hardware_id
where
    hardware.tdp_w is not null
    and (runs.chip_hours is not null or (runs.chips is not null and runs.training_hours is not null))
    and runs.run_id not in (select emissions.run_id from out.emissions as emissions)
