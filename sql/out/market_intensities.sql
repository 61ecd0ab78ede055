-- Market-based carbon intensities: of an operator's contracts, and residual mixes of grids. One row per operator or grid and
-- year.
select
    market_id,
    market_kind,
    provider,
    grid_region,
    year,
    market_kg_per_kwh,
    scope2_market_based_t,
    electricity_mwh,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from raw.market_intensities
