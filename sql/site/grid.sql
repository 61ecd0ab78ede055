-- Life-cycle intensity of countries by year; of two sources of one year the one with a later release.
select
    country,
    location,
    year,
    carbon_intensity_g_per_kwh,
    cfe_fraction,
    source_id,
    source_title
from grid_intensity
where country is not null and scheme = 'country' and intensity_basis = 'lifecycle' and carbon_intensity_g_per_kwh is not null
qualify row_number() over (partition by country, year order by source_id) = 1
order by country, year
