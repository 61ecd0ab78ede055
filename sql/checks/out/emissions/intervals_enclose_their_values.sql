-- If an interval does not contain its own value, or has no width, it was computed with a wrong gsd.
select
    run_id,
    energy_mwh_p05,
    energy_mwh,
    energy_mwh_p95,
    co2e_gross_t_p05,
    co2e_gross_t,
    co2e_gross_t_p95
from out.emissions
where
    not (energy_mwh_p05 < energy_mwh and energy_mwh < energy_mwh_p95)
    or not (co2e_gross_t_p05 <= co2e_gross_t and co2e_gross_t <= co2e_gross_t_p95)
    or not (co2e_net_t_p05 <= co2e_net_t and co2e_net_t <= co2e_net_t_p95)
