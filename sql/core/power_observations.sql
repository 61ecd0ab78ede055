-- Measured average power of whole systems during training. One row per physical measurement.
-- Not included: means of other rows, second views of one run, extremes, accelerators without their host, and
-- estimates.
-- On a benchmark that is uncertainty over many nodes, accelerators wait for each other and use less power than in
-- training. The power is converted to one node: divided by 1 - loss x (1 - scaling efficiency). loss is the slope in
-- core.scaling_pairs (least squares through the origin).
-- Power that was measured behind the power supply (DC) is converted to the mains with the ratio of systems that were
-- measured on both sides.
with supplies as (
    select exp(avg(ln(ac.watts_per_chip / dc.watts_per_chip) order by ac.system, ac.workload)) as ac_to_dc_ratio
    from raw.system_power as ac
    inner join raw.system_power as dc
        on
            ac.hardware_id = dc.hardware_id
            and ac.system = dc.system
            and ac.workload = dc.workload
            and ac.power_scope = dc.power_scope
            and dc.measured_at = 'DC'
    where ac.measured_at = 'AC' and ac.power_basis = 'measured_system' and ac.observation = 'independent'
),

scaling as (
    select loss_fraction_of(1 - scaling_efficiency_fraction, 1 - relative_power_ratio) as loss_fraction
    from core.scaling_pairs
)

select
    power.hardware_id,
    power.system,
    power.workload,
    power.provider,
    power.run_id,
    power.cooling,
    power.chips,
    power.watts_per_chip * if(power.measured_at = 'DC', supplies.ac_to_dc_ratio, 1) as measured_watts_per_chip,
    power.single_node_time_to_train_s * power.single_node_chips / (power.time_to_train_s * power.chips)
        as scaling_efficiency_fraction,
    1 - scaling.loss_fraction * (1 - coalesce(scaling_efficiency_fraction, 1)) as relative_power_ratio,
    measured_watts_per_chip / relative_power_ratio as watts_per_chip,
    hardware.tdp_w,
    measured_watts_per_chip / relative_power_ratio / hardware.tdp_w as rated_fraction,
    hardware.kind,
    power.source_title,
    power.source_url,
    power.source_locator,
    power.verified
from raw.system_power as power
inner join core.hardware as hardware on power.hardware_id = hardware.hardware_id
cross join scaling
cross join supplies
where
    power.power_basis = 'measured_system'
    and power.observation = 'independent'
    and hardware.tdp_w is not null
