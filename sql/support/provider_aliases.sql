-- Operators of data centres by every name that is known of them. One row per spelling.
select
    alias,
    provider
from raw.provider_aliases
