-- The geometric standard deviation of every basis of every factor, and what it was fitted on. One row per basis.
select * exclude (fitted_gsd)
from core.method
