-- Carbon-free energy can only take away from the grid's emissions; more net than gross means that the two are swapped.
select
    run_id,
    gross_kg_per_kwh,
    net_kg_per_kwh,
    co2e_gross_t,
    co2e_net_t
from out.emissions
where net_kg_per_kwh > gross_kg_per_kwh or co2e_net_t > co2e_gross_t
