-- A power that was measured on a run needs its run_id. Otherwise it would influence the estimate that it is compared
-- with.
select
    power.hardware_id,
    power.system,
    power.workload,
    runs.run_id
from raw.system_power as power
inner join raw.training_runs as runs
    on
        power.source_url = runs.source_url
        and power.watts_per_chip = runs.watts_per_chip
        and power.chips = runs.chips
where
    power.power_basis = 'measured_system'
    and power.observation = 'independent'
    and power.run_id is null
    and runs.power_basis = 'measured_system'
