-- Annual market-based tonnes (often zero) have no computed counterpart; beside net or gross they would mislead.
select
    run_id,
    basis
from out.agreement
where basis = 'net_annual'
