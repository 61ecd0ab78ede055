-- Electricity from lignite alone has about 1,250 g/kWh, so no direct intensity of a grid is above 1,300.
select
    scheme,
    region,
    year,
    carbon_intensity_g_per_kwh
from out.grid_intensity
where intensity_basis = 'direct' and carbon_intensity_g_per_kwh > 1300
