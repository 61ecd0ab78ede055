-- Carbon intensity and carbon-free share of grids. One row per scheme, region, year and basis.
select
    *,
    source_id(source_url) as source_id
from core.grid_intensity
