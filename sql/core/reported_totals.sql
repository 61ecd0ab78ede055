-- The one published energy and the one published CO2e that are shown next to the computed totals of a run. One row
-- per run. They are the first of core.reported_figures, never for a part or a family of runs, and never superseded.
select
    run_id,
    max(value) filter (where quantity = 'energy_mwh') as reported_energy_mwh,
    max(scope) filter (where quantity = 'energy_mwh') as reported_energy_scope,
    bool_or(includes_pue) filter (where quantity = 'energy_mwh') as reported_includes_pue,
    bool_or(derivation = 'measured_power') filter (where quantity = 'energy_mwh') as reported_is_metered,
    max(pue) filter (where quantity = 'energy_mwh') as reported_pue,
    max(value) filter (where quantity = 'co2e_t') as reported_co2e_t
from core.reported_figures
where preference = 1 and is_eligible
group by run_id
