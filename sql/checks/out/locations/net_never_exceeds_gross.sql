-- Carbon-free energy can only lower the emissions of a location. If net is higher than gross, a share was subtracted
-- twice.
select
    region,
    factor_year,
    gross_kg_per_kwh,
    net_kg_per_kwh
from out.locations
where net_kg_per_kwh > gross_kg_per_kwh
