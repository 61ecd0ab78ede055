-- At another location, the same accelerators use the same power. The energy differs only by the PUE, which is 1.0 to
-- 2.5.
select
    what_if.run_id,
    what_if.region,
    what_if.energy_mwh,
    emissions.energy_mwh as actual_energy_mwh
from out.what_if as what_if
inner join out.emissions as emissions on what_if.run_id = emissions.run_id
where
    what_if.region <> 'actual'
    and what_if.energy_mwh / (emissions.energy_mwh / emissions.pue) not between 1 and 2.5
