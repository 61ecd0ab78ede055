-- Countries by every name that is known of them. One row per spelling.
select *
from raw.countries
