-- Only a power that was measured on the whole system may be called measured. A data sheet's figure is stated_tdp.
select
    emissions.run_id,
    emissions.watts_basis,
    runs.power_basis
from out.emissions as emissions
inner join raw.training_runs as runs on emissions.run_id = runs.run_id
where emissions.watts_basis = 'disclosed_measured' and runs.power_basis is distinct from 'measured_system'
