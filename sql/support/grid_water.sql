-- Water consumed in making electricity, reservoirs included. One row per country or state.
select
    *,
    source_id(source_url) as source_id
from raw.grid_water
