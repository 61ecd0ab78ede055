-- Annual market-based tonnes (often zero) have no computed counterpart. A comparison with net or gross would mislead.
select
    run_id,
    basis
from out.agreement
where basis = 'net_annual'
