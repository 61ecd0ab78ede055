-- Life-cycle over direct intensity of US grids, for the regions of a user's runs. One row.
select
    lifecycle_to_direct_ratio,
    n_observations
from core.lifecycle_ratio
