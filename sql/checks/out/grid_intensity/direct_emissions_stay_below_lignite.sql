-- Burning lignite alone emits about 1,250 g/kWh, so no grid's direct intensity exceeds 1,300.
select
    scheme,
    region,
    year,
    carbon_intensity_g_per_kwh
from out.grid_intensity
where intensity_basis = 'direct' and carbon_intensity_g_per_kwh > 1300
