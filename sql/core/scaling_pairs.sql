-- Power of one benchmark on many nodes and on one node of the same operator. One row per measurement on many nodes.
-- Efficiency is that of strong scaling: 1 where n times the accelerators end the same benchmark in 1/n of the time.
with measured as (
    select
        power_id(power.hardware_id, power.system, power.workload) as observation_id,
        power.hardware_id,
        power.provider,
        power.workload,
        power.chips,
        power.measured_at,
        power.single_node_chips,
        power.single_node_time_to_train_s * power.single_node_chips / (power.time_to_train_s * power.chips)
            as scaling_efficiency_fraction,
        power.watts_per_chip,
        power.source_title
    from raw.system_power as power
    where power.power_basis = 'measured_system' and power.observation = 'independent'
)

select
    many.observation_id,
    one.observation_id as single_node_observation_id,
    many.source_title,
    many.scaling_efficiency_fraction,
    many.watts_per_chip / one.watts_per_chip as relative_power_ratio
from measured as many
inner join measured as one
    on
        many.provider = one.provider
        and many.hardware_id = one.hardware_id
        and many.workload = one.workload
        and many.measured_at is not distinct from one.measured_at
        and many.single_node_chips = one.chips
        and many.observation_id <> one.observation_id
where many.scaling_efficiency_fraction is not null
