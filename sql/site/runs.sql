-- Every run with an estimate. Lists and charts use the life-cycle tonnes, which are on one basis for all runs.
select
    e.* replace (
        case when e.net_basis <> 'equals_gross' then e.co2e_net_t end as co2e_net_t,
        case when e.net_basis <> 'equals_gross' then e.co2e_net_t_p05 end as co2e_net_t_p05,
        case when e.net_basis <> 'equals_gross' then e.co2e_net_t_p95 end as co2e_net_t_p95
    ),
    g.co2e_gross_t as co2e_lifecycle_t,
    g.co2e_gross_t_p05 as co2e_lifecycle_t_p05,
    g.co2e_gross_t_p95 as co2e_lifecycle_t_p95,
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
    t.started_month,
    run_solidity(
        e.energy_basis, e.chip_hours_basis, e.watts_basis, e.energy_mwh_p05, e.energy_mwh_p95, $wide
    ) as solidity
from emissions as e
left join gross_by_basis as g on e.run_id = g.run_id and g.intensity_basis = 'lifecycle'
left join hardware as h on e.hardware_id = h.hardware_id
left join embodied_emissions as m on e.run_id = m.run_id
left join water_use as w on e.run_id = w.run_id
left join training_runs as t on e.run_id = t.run_id
order by e.energy_mwh_p95 > $wide * e.energy_mwh_p05, e.energy_mwh desc, e.run_id
