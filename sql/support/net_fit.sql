-- The exponent of core.net_pairs, for net intensities of carbon-free shares that a user gives. One row.
select
    any_value(exponent order by net_id) as exponent,
    count(*) as n_observations
from core.net_pairs
