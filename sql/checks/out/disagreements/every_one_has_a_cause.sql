-- A published figure outside our interval is a finding until somebody says why: a wrong fact of ours looks like any other miss.
select
    run_id,
    quantity,
    basis,
    published_value
from out.disagreements
where cause is null
