-- Errors of the estimator for every observation, if one is left out. One row per factor, left-out observation, what
-- else is left out, and estimated observation.
-- The estimate of each is fitted without the left-out ones: the remaining rows tell a term what to take up, the row of the
-- left-out one (is_left_out) how far the estimate is from it.
-- A further factor is one more select, with the withheld estimate of its own.
with draws as (
    select
        observation_id,
        left_out,
        hardware_id,
        avg(ln_watts order by source_title) as estimated_ln_watts -- each source counts once, as in core.chip_power
    from (
        select
            observation_id,
            left_out,
            hardware_id,
            source_title,
            avg(ln(watts_per_chip) order by other_id) as ln_watts
        from core.kept_draws
        group by observation_id, left_out, hardware_id, source_title
    ) as sources
    group by observation_id, left_out, hardware_id
),

own_draws as (
    select
        observation_id,
        left_out,
        log_ratio
    from core.withheld_power
    qualify
        row_number() over (partition by observation_id, left_out order by starts_with(basis, 'measured_ratio'), basis) = 1
)

select
    'chip_hours' as factor,
    target.observation_id,
    scopes.left_out,
    other.observation_id as other_id,
    target.observation_id = other.observation_id as is_left_out,
    ln(other.mfu) - withheld.withheld_ln_mfu as observed_log_ratio
from core.flop_observations as target
cross join (values ('run'), ('developer')) as scopes (left_out)
inner join core.mfu_features as other
    on
        target.observation_id = other.observation_id
        or (
            (target.run_id is null or other.run_id is distinct from target.run_id)
            and (scopes.left_out = 'run' or not are_related(other.developer, target.developer))
        )
inner join core.withheld_throughput as withheld
    on
        target.observation_id = withheld.observation_id
        and scopes.left_out = withheld.left_out
        and other.hardware_id = withheld.hardware_id
union all
select
    'watts_per_chip' as factor,
    kept.observation_id,
    kept.left_out,
    kept.other_id,
    false as is_left_out,
    ln(kept.watts_per_chip) - draws.estimated_ln_watts as observed_log_ratio
from core.kept_draws as kept
inner join draws
    on
        kept.observation_id = draws.observation_id
        and kept.left_out = draws.left_out
        and kept.hardware_id = draws.hardware_id
union all
select
    'watts_per_chip' as factor,
    observation_id,
    left_out,
    observation_id as other_id,
    true as is_left_out,
    -log_ratio as observed_log_ratio
from own_draws
