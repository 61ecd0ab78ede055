-- Where each cloud region and site lies, and which grid serves it. One row per region.
select
    region,
    provider,
    location,
    latitude,
    longitude,
    country,
    grid_zone,
    egrid_subregion
from raw.regions
