-- Measured average draw of whole systems while training, one row per physical measurement.
-- Left out: means of other rows, second views of one run, extremes, chips without their host, estimates.
-- A benchmark spread over many nodes until its accelerators wait for each other draws less than a training does. It is taken
-- back to one node by 1 - loss x (1 - scaling efficiency); loss is the slope of core.scaling_pairs, through no loss at 1.
with scaling as (
    select
        coalesce(
            sum((1 - relative_draw_ratio) * (1 - scaling_efficiency_fraction) order by observation_id)
            / nullif(sum(pow(1 - scaling_efficiency_fraction, 2) order by observation_id), 0),
            0
        ) as loss_fraction
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
    power.watts_per_chip as measured_watts_per_chip,
    power.single_node_time_to_train_s * power.single_node_chips / (power.time_to_train_s * power.chips)
        as scaling_efficiency_fraction,
    1 - scaling.loss_fraction * (1 - coalesce(scaling_efficiency_fraction, 1)) as relative_draw_ratio,
    measured_watts_per_chip / relative_draw_ratio as watts_per_chip,
    hardware.tdp_w,
    power.watts_per_chip / relative_draw_ratio / hardware.tdp_w as rated_fraction,
    hardware.kind,
    power.source_title,
    power.source_url,
    power.source_locator,
    power.verified
from raw.system_power as power
inner join core.hardware as hardware on power.hardware_id = hardware.hardware_id
cross join scaling
where
    power.power_basis = 'measured_system'
    and power.observation = 'independent'
    and hardware.tdp_w is not null
