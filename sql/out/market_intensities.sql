-- Market-based carbon intensities: of an operator's contracts, and residual mixes of grids. One row per operator or grid and
-- year.
select
    *,
    source_id(source_url) as source_id
from raw.market_intensities
