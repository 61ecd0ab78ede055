-- What the estimator leaves of every observation when one is left out. One row per factor, left-out observation, what is left
-- out with it, and observation that remains, or the left-out one itself.
-- The estimate of each is fitted without the left-out ones: the remaining rows tell a term what to take up, the row of the
-- left-out one (is_left_out) how far the estimate is from it.
-- A further factor is one more select, with the withheld estimate of its own.
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
