-- The market-based intensities that `ote estimate` looks up. One row per operator, site, or country, and year.
select *
from core.market_locations
