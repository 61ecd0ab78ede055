-- Carbon-free energy can only lower what a place emits: more net than gross means that a share was taken twice.
select
    region,
    factor_year,
    gross_kg_per_kwh,
    net_kg_per_kwh
from out.places
where net_kg_per_kwh > gross_kg_per_kwh
