-- Water consumed in making electricity, reservoirs included. One row per country or state.
select
    region,
    country,
    grid_water_l_per_kwh,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from raw.grid_water
