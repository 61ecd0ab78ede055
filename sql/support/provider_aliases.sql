-- Operators of data centres by every name that is known of them. One row per spelling.
select *
from raw.provider_aliases
