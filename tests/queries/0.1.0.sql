-- What README and docs/method of version 0.1.0 told people to paste. Never edited: a release that breaks one of these is a
-- major version, and its queries go into a file of their own.

-- README.md
select model, round(energy_mwh) as mwh, round(co2e_gross_t) as gross_t,
round(co2e_gross_t_p05) as p05, round(co2e_gross_t_p95) as p95
from emissions order by energy_mwh desc limit 5;

-- README.md
select factor, value, gsd, basis, factor_year, source_url, source_locator
from emission_factors where run_id = 'gshard-600b';

-- docs/method/README.md
select factor, basis, gsd, n_observations, fitted_on from method order by factor, rung;

-- docs/method/accuracy.md
select withheld, left_out, estimator, n_observations, round(100 * mean_error_fraction) as mean_error_percent
from accuracy where quantity = 'energy_mwh' order by withheld, left_out, mean_error_percent;

-- docs/method/chip-hours.md
select hardware_id, mfu, sustained_flop_per_s from hardware_draws where hardware_id like 'nvidia-a100%';

-- docs/method/embodied-and-water.md
select embodied_id, component, embodied_kg / chips as kg_per_chip, scope_note, source_url from embodied_carbon order by 2, 1;

-- docs/method/embodied-and-water.md
select factor, basis, gsd, n_observations from method where factor in ('accelerator_kg_per_chip', 'host_kg_per_chip', 'busy_hours');

-- docs/method/embodied-and-water.md
select run_id, water_site_m3, water_site_m3_p05, water_site_m3_p95, water_grid_m3 from water_use where water_site_m3 is not null
order by water_site_m3 desc limit 5;

-- docs/method/grid.md
select region, factor_year, pue, gross_kg_per_kwh, net_kg_per_kwh, intensity_basis from places
where factor_year = (select max(factor_year) from places) order by pue * net_kg_per_kwh limit 10;

-- docs/method/power.md
select hardware_id, system, workload, watts_per_chip, power_scope, source_title from system_power
where power_basis = 'measured_system' and observation = 'independent' order by hardware_id;

-- docs/method/pue.md
select pue_basis, count(*) as runs, round(avg(pue), 3) as mean_pue from emissions group by all order by runs desc;
