-- Energy in MWh is chip-hours x W x PUE / 1e6, and tonnes are MWh x kg/kWh. A missing or repeated conversion is wrong
-- by far more than rounding.
select
    run_id,
    energy_mwh,
    chip_hours,
    watts_per_chip,
    pue,
    co2e_gross_t,
    co2e_net_t
from out.emissions
where
    energy_basis = 'computed'
    and (
        abs(energy_mwh / (chip_hours * watts_per_chip / 1000 * pue / 1000) - 1) > 1e-9 -- Wh to kWh, kWh to MWh
        or abs(co2e_gross_t - energy_mwh * 1000 * gross_kg_per_kwh / 1000) > 1e-9 * co2e_gross_t -- MWh to kWh, kg to t
        or abs(co2e_net_t - energy_mwh * 1000 * net_kg_per_kwh / 1000) > 1e-9 * co2e_gross_t -- MWh to kWh, kg to t
    )
