-- Carbon-free energy can only lower the emissions of the grid. If net is higher than gross, the two are swapped.
select
    run_id,
    gross_kg_per_kwh,
    net_kg_per_kwh,
    co2e_gross_t,
    co2e_net_t
from out.emissions
where net_kg_per_kwh > gross_kg_per_kwh or co2e_net_t > co2e_gross_t
