-- The geometric standard deviation of every basis of every factor, and what it was fitted on. One row per basis.
select
    factor,
    basis,
    fallback_rank,
    solidity,
    gsd,
    n_observations,
    fitted_on
from core.method
