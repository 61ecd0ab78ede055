-- Countries by every name that is known of them. One row per spelling.
select
    alias,
    country,
    iso3
from raw.countries
