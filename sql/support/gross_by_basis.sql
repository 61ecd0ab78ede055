-- Gross CO2e of each run on one kind of grid intensity at a time. One row per run and kind that its grid is known on.
-- Direct is what power plants emit; lifecycle adds fuel supply and construction. emissions takes the best basis whatever its
-- kind; sum and compare within one.
with formula as (
    select
        grids.*,
        grids.factor_year <> emissions.run_year as is_other_year,
        emissions.energy_mwh * grids.value as co2e_gross_t, -- MWh x kg/kWh is t
        widened(ln(emissions.energy_mwh_p95 / emissions.energy_mwh), ln(grids.gsd)) as gross_ln_above,
        widened(ln(emissions.energy_mwh / emissions.energy_mwh_p05), ln(grids.gsd)) as gross_ln_below
    from core.grid_by_basis as grids
    inner join out.emissions as emissions on grids.run_id = emissions.run_id
)

select
    run_id,
    intensity_basis,
    value as gross_kg_per_kwh,
    basis as gross_basis,
    factor_year,
    is_other_year,
    co2e_gross_t,
    co2e_gross_t * exp(-gross_ln_below) as co2e_gross_t_p05,
    co2e_gross_t * exp(gross_ln_above) as co2e_gross_t_p95,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from formula
