-- A judgement outside the interval of the correlation that was measured needs another value, and a reason that does not come from
-- that correlation. A measured share is the correlation itself, so this says nothing of it.
select
    factor,
    basis,
    error_source,
    share_fraction,
    correlation_p05,
    correlation_p95
from out.error_shares
where share_basis = 'judgement' and share_fraction not between correlation_p05 and correlation_p95
