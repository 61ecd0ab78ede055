-- The market-based emissions of each run next to the location-based ones, with the source of the intensity. One row per run that
-- has both.
select
    emissions.run_id,
    emissions.co2e_market_t,
    emissions.co2e_market_t_p05,
    emissions.co2e_market_t_p95,
    emissions.energy_mwh,
    emissions.market_kg_per_kwh,
    emissions.market_basis,
    emissions.market_year,
    emissions.co2e_gross_t,
    source_id(best.source_url) as source_id,
    best.source_title,
    best.source_url,
    best.source_locator,
    best.verified
from out.emissions as emissions
inner join core.market_based as best on emissions.run_id = best.run_id
