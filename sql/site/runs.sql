-- Every run with an estimate. Lists and charts use the life-cycle tonnes, which are on one basis for all runs.
select
    e.run_id,
    e.model,
    e.developer,
    e.developer_country,
    e.published_date,
    e.domain,
    e.covers,
    e.hardware_id,
    e.chips,
    e.chip_hours,
    e.watts_per_chip,
    e.energy_mwh,
    e.energy_mwh_p05,
    e.energy_mwh_p95,
    e.energy_basis,
    e.co2e_gross_t,
    e.co2e_gross_t_p05,
    e.co2e_gross_t_p95,
    e.co2e_net_t,
    e.co2e_net_t_p05,
    e.co2e_net_t_p95,
    e.site_country,
    e.cloud_region,
    e.site,
    e.run_year,
    e.source_id,
    e.co2e_lifecycle_t,
    e.co2e_lifecycle_t_p05,
    e.co2e_lifecycle_t_p95,
    e.solidity,
    h.name as hardware_name,
    m.embodied_t,
    m.embodied_t_p05,
    m.embodied_t_p95,
    w.water_site_m3,
    w.water_site_m3_p05,
    w.water_site_m3_p95,
    w.water_grid_m3,
    w.water_grid_m3_p05,
    w.water_grid_m3_p95,
    t.started_month
from emissions as e
left join hardware as h on e.hardware_id = h.hardware_id
left join embodied_emissions as m on e.run_id = m.run_id
left join water_use as w on e.run_id = w.run_id
left join training_runs as t on e.run_id = t.run_id
order by e.energy_mwh desc, e.run_id asc
