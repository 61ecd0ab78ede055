-- Measured average draw of whole systems while training, one row per physical measurement.
-- Left out: means of other rows, second views of one run, extremes, chips without their host, estimates.
select
    power.hardware_id,
    power.system,
    power.workload,
    power.provider,
    power.run_id,
    power.watts_per_chip,
    hardware.tdp_w,
    power.watts_per_chip / hardware.tdp_w as rated_fraction,
    hardware.kind,
    power.source_title,
    power.source_url,
    power.source_locator,
    power.verified
from raw.system_power as power
inner join core.hardware as hardware on power.hardware_id = hardware.hardware_id
where
    power.power_basis = 'measured_system'
    and power.observation = 'independent'
    and hardware.tdp_w is not null
