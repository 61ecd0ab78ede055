-- Grid intensity (gross) that the fallback order takes for a location. One row per location and year of the figure.
-- A location is a cloud region, a country or WORLD. Countries have the one kind of intensity that all of them have: life-cycle.
select
    region as location_id,
    'region_year' as basis,
    factor_year,
    carbon_intensity_g_per_kwh,
    intensity_basis,
    source_title,
    source_url,
    source_locator,
    verified
from core.region_intensity
where carbon_intensity_g_per_kwh is not null
union all
select
    region as location_id,
    if(region = 'WORLD', 'world_year', 'country_year') as basis,
    year as factor_year,
    carbon_intensity_g_per_kwh,
    intensity_basis,
    source_title,
    source_url,
    source_locator,
    verified
from core.grid_intensity
where
    scheme = 'country'
    and intensity_basis = 'lifecycle'
    and carbon_intensity_g_per_kwh is not null
