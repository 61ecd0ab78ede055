-- Every measured draw as it would be estimated without it. One row per measurement, what is left out and rung.
-- Left out: the measurement alone, or all that its source measured. On the rung measured_ratio its whole chip is left
-- out as well, as if it had never been measured. The estimators are those of core.chip_power.
-- The slope of the scaling is fitted without the measurement, on either side of a pair, and without its source; the
-- measurement's own efficiency is known, since it is one of times.
-- Rungs end in _elsewhere where all of the source is left out: so are chips estimated that others measured.
with observations as (
    select
        hardware_id || ', ' || system || ', ' || workload as observation_id,
        run_id,
        hardware_id,
        kind,
        tdp_w,
        measured_watts_per_chip,
        coalesce(scaling_efficiency_fraction, 1) as efficiency_fraction,
        source_title
    from core.power_observations
),

scalings as (
    select
        target.observation_id,
        scopes.left_out,
        coalesce(
            sum((1 - pairs.relative_draw_ratio) * (1 - pairs.scaling_efficiency_fraction) order by pairs.observation_id)
            / nullif(sum(pow(1 - pairs.scaling_efficiency_fraction, 2) order by pairs.observation_id), 0),
            0
        ) as loss_fraction
    from observations as target
    cross join (values ('run'), ('developer')) as scopes (left_out)
    left join core.scaling_pairs as pairs
        on
            target.observation_id not in (pairs.observation_id, pairs.single_node_observation_id)
            and (scopes.left_out = 'run' or target.source_title <> pairs.source_title)
    group by target.observation_id, scopes.left_out
),

kept as (
    select
        target.observation_id,
        target.hardware_id as target_hardware_id,
        target.kind as target_kind,
        scalings.left_out,
        other.hardware_id,
        other.kind,
        other.source_title,
        avg(
            ln(other.measured_watts_per_chip / (1 - scalings.loss_fraction * (1 - other.efficiency_fraction)))
            order by other.observation_id
        ) as ln_watts,
        avg(
            ln(other.measured_watts_per_chip / (1 - scalings.loss_fraction * (1 - other.efficiency_fraction)) / other.tdp_w)
            order by other.observation_id
        ) as ln_fraction
    from observations as target
    inner join scalings on target.observation_id = scalings.observation_id
    inner join observations as other
        on
            target.observation_id <> other.observation_id
            and (scalings.left_out = 'run' or target.source_title <> other.source_title)
    group by
        target.observation_id, target.hardware_id, target.kind, scalings.left_out, other.hardware_id, other.kind,
        other.source_title
),

chips as (
    select
        observation_id,
        target_hardware_id,
        target_kind,
        left_out,
        hardware_id,
        kind,
        avg(ln_watts order by ln_watts) as ln_watts,
        avg(ln_fraction order by ln_fraction) as ln_fraction
    from kept
    group by observation_id, target_hardware_id, target_kind, left_out, hardware_id, kind
),

ratios as (
    select
        observation_id,
        left_out,
        avg(ln_fraction order by ln_fraction)
        filter (where chip_family(hardware_id) = chip_family(target_hardware_id)) as family_ln_fraction,
        avg(ln_fraction order by ln_fraction) filter (where kind = target_kind) as kind_ln_fraction,
        avg(ln_fraction order by ln_fraction) as any_ln_fraction
    from chips
    where hardware_id <> target_hardware_id
    group by observation_id, left_out
),

estimates as (
    select
        observation_id,
        left_out,
        if(left_out = 'run', 'measured_same_chip', 'measured_same_chip_elsewhere') as basis,
        ln_watts as ln_estimate
    from chips
    where hardware_id = target_hardware_id
    union all
    select
        ratios.observation_id,
        ratios.left_out,
        if(ratios.left_out = 'run', 'measured_ratio', 'measured_ratio_elsewhere') as basis,
        ln(observations.tdp_w)
        + coalesce(ratios.family_ln_fraction, ratios.kind_ln_fraction, ratios.any_ln_fraction) as ln_estimate
    from ratios
    inner join observations on ratios.observation_id = observations.observation_id
)

select
    observations.observation_id,
    estimates.left_out,
    estimates.basis,
    observations.run_id,
    observations.hardware_id,
    observations.tdp_w,
    observations.source_title,
    observations.measured_watts_per_chip,
    exp(estimates.ln_estimate)
    * (1 - scalings.loss_fraction * (1 - observations.efficiency_fraction)) as estimated_watts_per_chip,
    ln(estimated_watts_per_chip / observations.measured_watts_per_chip) as log_ratio
from estimates
inner join observations on estimates.observation_id = observations.observation_id
inner join scalings
    on estimates.observation_id = scalings.observation_id and estimates.left_out = scalings.left_out
