-- A published total stands in only for a run of which nothing else is known.
select
    run_id,
    energy_basis,
    energy_mwh,
    reported_energy_mwh,
    chip_hours
from out.emissions
where energy_basis = 'reported' and (chip_hours is not null or energy_mwh is distinct from reported_energy_mwh)
