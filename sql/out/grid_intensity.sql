-- Carbon intensity and carbon-free share of grids. One row per scheme, region, year and basis.
select
    scheme,
    region,
    location,
    country,
    year,
    cfe_fraction,
    cfe_basis,
    carbon_intensity_g_per_kwh,
    intensity_basis,
    gas,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from core.grid_intensity
