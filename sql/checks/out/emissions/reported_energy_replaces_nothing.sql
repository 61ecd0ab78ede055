-- A published total is the estimate only if nothing else is known of the run. It is used as published, or multiplied
-- by a PUE, preferably its authors'.
select
    emissions.run_id,
    emissions.energy_basis,
    emissions.energy_mwh,
    emissions.reported_energy_mwh,
    emissions.chip_hours
from out.emissions as emissions
left join core.reported_totals as reported on emissions.run_id = reported.run_id
where
    emissions.energy_basis = 'reported'
    and (
        emissions.chip_hours is not null
        or emissions.energy_mwh is null
        or abs(
            emissions.energy_mwh
            / emissions.reported_energy_mwh
            / if(reported.reported_includes_pue is false, coalesce(reported.reported_pue, emissions.pue), 1)
            - 1
        ) > 1e-9
    )
