-- No grid emits below 1 g/kWh direct or 4 g/kWh in the life cycle, as hydropower alone would: such a value is a zero
-- for "not known", or in another unit.
select
    scheme,
    region,
    year,
    intensity_basis,
    carbon_intensity_g_per_kwh
from out.grid_intensity
where carbon_intensity_g_per_kwh < if(intensity_basis = 'lifecycle', 4, 1)
