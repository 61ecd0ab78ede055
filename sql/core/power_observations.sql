-- Measured average draw of whole systems while training, one row per physical measurement.
-- Left out: means of other rows, second views of one run, extremes, chips without their host, estimates.
-- A benchmark spread over many nodes until its accelerators wait for each other draws less than a training does. It is taken
-- back to one node by 1 - loss x (1 - scaling efficiency); loss is the slope of core.scaling_pairs, through no loss at 1.
-- A draw read behind the power supply (DC) is taken to the mains by what systems drew that were read on both sides.
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
    select loss_fraction_of(1 - scaling_efficiency_fraction, 1 - relative_draw_ratio) as loss_fraction
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
    1 - scaling.loss_fraction * (1 - coalesce(scaling_efficiency_fraction, 1)) as relative_draw_ratio,
    measured_watts_per_chip / relative_draw_ratio as watts_per_chip,
    hardware.tdp_w,
    measured_watts_per_chip / relative_draw_ratio / hardware.tdp_w as rated_fraction,
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
