-- How each month of a place's grid stood to its year, from the hourly sources. One row per location, month and basis.
select
    location_id,
    month,
    intensity_basis,
    source,
    zone,
    month_g_per_kwh,
    month_to_year_ratio
from core.grid_months
