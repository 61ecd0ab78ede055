-- The geometric standard deviation of every rung of every factor, and what it was fitted on. One row per rung.
select
    factor,
    basis,
    rung,
    solidity,
    gsd,
    n_observations,
    fitted_on
from core.method
