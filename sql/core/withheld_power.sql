-- Every measured draw as it would be estimated without it. One row per measurement, what is left out and rung.
-- Left out: the measurement alone, or all that its source measured. On the rung measured_ratio its whole chip is left
-- out as well, as if it had never been measured. The estimators are those of core.chip_power; the efficiency of the
-- measurement's own scaling is known, since it is one of times.
-- Rungs end in _elsewhere where all of the source is left out: so are chips estimated that others measured.
with observations as (
    select
        draw_id(hardware_id, system, workload) as observation_id,
        run_id,
        hardware_id,
        kind,
        tdp_w,
        measured_watts_per_chip,
        source_title
    from core.power_observations
),

sources as (
    select
        observation_id,
        left_out,
        hardware_id,
        kind,
        source_title,
        any_value(target_relative_draw_ratio) as target_relative_draw_ratio,
        avg(ln(watts_per_chip) order by other_id) as ln_watts,
        avg(ln(watts_per_chip / tdp_w) order by other_id) as ln_fraction
    from core.kept_draws
    group by observation_id, left_out, hardware_id, kind, source_title
),

chips as (
    select
        sources.observation_id,
        observations.hardware_id as target_hardware_id,
        observations.kind as target_kind,
        sources.left_out,
        sources.hardware_id,
        sources.kind,
        any_value(sources.target_relative_draw_ratio) as target_relative_draw_ratio,
        avg(sources.ln_watts order by sources.ln_watts) as ln_watts,
        avg(sources.ln_fraction order by sources.ln_fraction) as ln_fraction
    from sources
    inner join observations on sources.observation_id = observations.observation_id
    group by
        sources.observation_id, observations.hardware_id, observations.kind, sources.left_out, sources.hardware_id,
        sources.kind
),

ratios as (
    select
        observation_id,
        left_out,
        any_value(target_relative_draw_ratio) as target_relative_draw_ratio,
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
        exp(ln_watts) * target_relative_draw_ratio as estimated_watts_per_chip
    from chips
    where hardware_id = target_hardware_id
    union all
    select
        ratios.observation_id,
        ratios.left_out,
        if(ratios.left_out = 'run', 'measured_ratio', 'measured_ratio_elsewhere') as basis,
        observations.tdp_w
        * exp(coalesce(ratios.family_ln_fraction, ratios.kind_ln_fraction, ratios.any_ln_fraction))
        * ratios.target_relative_draw_ratio as estimated_watts_per_chip
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
    estimates.estimated_watts_per_chip,
    ln(estimates.estimated_watts_per_chip / observations.measured_watts_per_chip) as log_ratio
from estimates
inner join observations on estimates.observation_id = observations.observation_id
