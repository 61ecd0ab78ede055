-- The factors of every run, in the order of the formula.
select
    f.run_id,
    f.factor,
    f.value,
    f.gsd,
    f.p05,
    f.p95,
    f.basis,
    f.intensity_basis,
    f.factor_year,
    f.is_other_year,
    f.source_id,
    f.source_title,
    f.source_url,
    f.source_locator,
    f.solidity
from emission_factors as f inner join emissions as e on f.run_id = e.run_id
order by
    f.run_id,
    list_position(['energy_mwh', 'chip_hours', 'watts_per_chip', 'pue', 'gross_kg_per_kwh', 'net_kg_per_kwh'], f.factor)
