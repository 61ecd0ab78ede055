-- No grid is below 1 g/kWh (direct) or 4 g/kWh (life-cycle), the level of hydropower alone. A lower value is a 0 that
-- means unknown, or has another unit.
select
    scheme,
    region,
    year,
    intensity_basis,
    carbon_intensity_g_per_kwh
from out.grid_intensity
where carbon_intensity_g_per_kwh < if(intensity_basis = 'lifecycle', 4, 1)
