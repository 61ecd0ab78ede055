-- The uncertainties of what a user gives, and of what replaces it, as logarithms. One row.
select
    max(ln(gsd)) filter (where factor = 'chip_hours' and basis = 'disclosed') as disclosed_hours,
    max(ln(gsd)) filter (where factor = 'chip_hours' and basis = 'chips_x_hours') as chips_x_hours,
    max(ln(gsd)) filter (where factor = 'chip_hours' and basis = 'flop_over_throughput') as flop_over_throughput,
    max(ln(gsd)) filter (where factor = 'chip_hours' and basis = 'flop_by_era') as flop_by_era,
    max(ln(gsd)) filter (where factor = 'watts_per_chip' and basis = 'disclosed_measured') as disclosed_measured,
    max(ln(gsd)) filter (where factor = 'watts_per_chip' and basis = 'hardware_mix') as hardware_mix,
    max(ln(gsd)) filter (where factor = 'watts_per_chip' and basis = 'ambiguous_variant') as ambiguous_variant,
    max(ln(gsd)) filter (where factor = 'energy_mwh' and basis = 'reported') as accelerators_alone,
    max(gsd) filter (where factor = 'net_kg_per_kwh' and basis = 'operator_hourly') as operator_hourly_gsd,
    max(ln(gsd)) filter (where factor = 'pue' and basis = 'disclosed') as disclosed_pue,
    max(ln(gsd)) filter (where factor = 'gross_kg_per_kwh' and basis = 'disclosed') as disclosed_grid,
    max(ln(gsd)) filter (where factor = 'gross_kg_per_kwh' and basis = 'region_month') as region_month,
    max(ln(gsd)) filter (where factor = 'gross_kg_per_kwh' and basis = 'region_year') as region_year,
    max(ln(gsd)) filter (where factor = 'gross_kg_per_kwh' and basis = 'country_month') as country_month,
    max(ln(gsd)) filter (where factor = 'gross_kg_per_kwh' and basis = 'direct_to_lifecycle') as direct_to_lifecycle
from method
