-- Errors of the estimator for every observation, if one is left out. One row per factor, left-out observation, what
-- else is left out, and estimated observation.
-- The estimate of each is fitted without the left-out ones: the remaining rows tell a term what to take up, the row of the
-- left-out one (is_left_out) how far the estimate is from it.
-- A further factor is one more select, with the held out estimate of its own.
with power as (
    select
        observation_id,
        held_out_scope,
        hardware_id,
        avg(ln_watts order by source_title) as estimated_ln_watts -- each source counts once, as in core.chip_power
    from (
        select
            observation_id,
            held_out_scope,
            hardware_id,
            source_title,
            avg(ln(watts_per_chip) order by other_id) as ln_watts
        from core.kept_power
        group by observation_id, held_out_scope, hardware_id, source_title
    ) as sources
    group by observation_id, held_out_scope, hardware_id
),

own_power as (
    select
        observation_id,
        held_out_scope,
        log_ratio
    from core.held_out_power
    qualify
        row_number() over (partition by observation_id, held_out_scope order by starts_with(basis, 'measured_ratio'), basis) = 1
)

select
    'chip_hours' as factor,
    target.observation_id,
    scopes.held_out_scope,
    other.observation_id as other_id,
    target.observation_id = other.observation_id as is_left_out,
    ln(other.mfu) - held_out.held_out_ln_mfu as observed_log_ratio
from core.flop_observations as target
cross join (values ('run'), ('developer')) as scopes (held_out_scope)
inner join core.mfu_features as other
    on
        target.observation_id = other.observation_id
        or (
            (target.run_id is null or other.run_id is distinct from target.run_id)
            and (scopes.held_out_scope = 'run' or not are_related(other.organisations, target.organisations))
        )
inner join core.held_out_throughput as held_out
    on
        target.observation_id = held_out.observation_id
        and scopes.held_out_scope = held_out.held_out_scope
        and other.hardware_id = held_out.hardware_id
union all
select
    'watts_per_chip' as factor,
    kept.observation_id,
    kept.held_out_scope,
    kept.other_id,
    false as is_left_out,
    ln(kept.watts_per_chip) - power.estimated_ln_watts as observed_log_ratio
from core.kept_power as kept
inner join power
    on
        kept.observation_id = power.observation_id
        and kept.held_out_scope = power.held_out_scope
        and kept.hardware_id = power.hardware_id
union all
select
    'watts_per_chip' as factor,
    observation_id,
    held_out_scope,
    observation_id as other_id,
    true as is_left_out,
    -log_ratio as observed_log_ratio
from own_power
