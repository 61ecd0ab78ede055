-- Every measured power, as it would be estimated without it. One row per measurement, what else is left out, and
-- basis.
-- Left out is the measurement alone, or all measurements of its source. The bases with a ratio also leave out all
-- measurements of that accelerator, and measured_ratio_other_class its whole kind. Estimators and bases are the same
-- as in core.watts_candidates: a basis ends in _elsewhere if no remaining measurement is by the operator of the system.
-- The scaling efficiency of the measurement itself is used, because it follows from times and not from power.
with observations as (
    select
        power_id(hardware_id, system, workload) as observation_id,
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
        held_out_scope,
        board_of(hardware_id) as board,
        kind,
        source_title,
        any_value(target_relative_power_ratio) as target_relative_power_ratio,
        bool_or(is_by_operator) as is_by_operator,
        avg(ln(watts_per_chip) order by other_id) as ln_watts,
        avg(ln(watts_per_chip / tdp_w) order by other_id) as ln_fraction
    from core.kept_power
    group by observation_id, held_out_scope, board, kind, source_title
),

chips as (
    select
        sources.observation_id,
        observations.hardware_id as target_hardware_id,
        sources.held_out_scope,
        sources.board,
        case
            when sources.board = board_of(observations.hardware_id) then 'same_chip'
            when chip_family(sources.board) = chip_family(observations.hardware_id) then 'generation'
            when sources.kind = observations.kind then 'kind'
            else 'other_class'
        end as nearness,
        any_value(sources.target_relative_power_ratio) as target_relative_power_ratio,
        bool_or(sources.is_by_operator) as is_by_operator,
        avg(sources.ln_watts order by sources.ln_watts) as ln_watts,
        avg(sources.ln_fraction order by sources.ln_fraction) as ln_fraction
    from sources
    inner join observations on sources.observation_id = observations.observation_id
    group by
        sources.observation_id, observations.hardware_id, observations.kind, sources.held_out_scope, sources.board,
        sources.kind
),

ratios as (
    select
        observation_id,
        held_out_scope,
        nearness,
        any_value(target_relative_power_ratio) as target_relative_power_ratio,
        bool_or(is_by_operator) as is_by_operator,
        avg(ln_fraction order by ln_fraction) as ln_fraction
    from chips
    where nearness <> 'same_chip'
    group by observation_id, held_out_scope, nearness
),

nearest_ratios as (
    select *
    from ratios
    where nearness <> 'other_class'
    qualify row_number() over (partition by observation_id, held_out_scope order by nearness <> 'generation') = 1
),

estimates as (
    select
        observation_id,
        held_out_scope,
        if(is_by_operator, 'measured_same_chip', 'measured_same_chip_elsewhere') as basis,
        exp(ln_watts) * target_relative_power_ratio as estimated_watts_per_chip
    from chips
    where nearness = 'same_chip'
    union all
    select
        ratios.observation_id,
        ratios.held_out_scope,
        if(ratios.is_by_operator, 'measured_ratio', 'measured_ratio_elsewhere') as basis,
        observations.tdp_w * exp(ratios.ln_fraction) * ratios.target_relative_power_ratio as estimated_watts_per_chip
    from nearest_ratios as ratios
    inner join observations on ratios.observation_id = observations.observation_id
    union all
    select
        ratios.observation_id,
        ratios.held_out_scope,
        'measured_ratio_other_class' as basis,
        observations.tdp_w * exp(ratios.ln_fraction) * ratios.target_relative_power_ratio as estimated_watts_per_chip
    from ratios
    inner join observations on ratios.observation_id = observations.observation_id
    where ratios.nearness = 'other_class'
)

select
    observations.observation_id,
    estimates.held_out_scope,
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
