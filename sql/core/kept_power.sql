-- Measured powers that remain if one is left out, each converted to a single node. One row per left-out measurement,
-- what else is left out (nothing, or all measurements of its source), and remaining measurement.
-- The slope of the scaling (core.power_observations) is fitted without the left-out measurement, on either side of a
-- pair, and without its source.
with observations as (
    select
        power_id(hardware_id, system, workload) as observation_id,
        hardware_id,
        kind,
        tdp_w,
        measured_watts_per_chip,
        coalesce(scaling_efficiency_fraction, 1) as efficiency_fraction,
        provider,
        source_title
    from core.power_observations
),

scalings as (
    select
        target.observation_id,
        scopes.held_out_scope,
        loss_fraction_of(1 - pairs.scaling_efficiency_fraction, 1 - pairs.relative_power_ratio) as loss_fraction
    from observations as target
    cross join (values ('run'), ('developer')) as scopes (held_out_scope)
    left join core.scaling_pairs as pairs
        on
            target.observation_id not in (pairs.observation_id, pairs.single_node_observation_id)
            and (scopes.held_out_scope = 'run' or target.source_title <> pairs.source_title)
    group by target.observation_id, scopes.held_out_scope
)

select
    target.observation_id,
    scalings.held_out_scope,
    other.observation_id as other_id,
    other.hardware_id,
    other.kind,
    other.tdp_w,
    other.source_title,
    coalesce(other.provider = target.provider, false) as is_by_operator,
    1 - scalings.loss_fraction * (1 - target.efficiency_fraction) as target_relative_power_ratio,
    other.measured_watts_per_chip / (1 - scalings.loss_fraction * (1 - other.efficiency_fraction)) as watts_per_chip
from observations as target
inner join scalings on target.observation_id = scalings.observation_id
inner join observations as other
    on
        target.observation_id <> other.observation_id
        and (scalings.held_out_scope = 'run' or target.source_title <> other.source_title)
