-- A share outside the interval of the correlation that was measured needs another value.
select
    factor,
    basis,
    error_source,
    share_fraction,
    correlation_p05,
    correlation_p95
from out.error_shares
where share_fraction not between correlation_p05 and correlation_p95
