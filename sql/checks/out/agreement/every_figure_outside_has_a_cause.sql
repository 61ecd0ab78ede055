-- Every published figure outside our interval needs a cause, because a wrong fact of ours would look the same as
-- chance. A figure inside needs none.
select
    run_id,
    quantity,
    basis,
    published_value
from out.agreement
where (cause is not null) = inside_interval
