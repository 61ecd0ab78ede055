-- Every published figure outside our interval needs a cause, because a wrong fact of ours would look the same as
-- chance.
select
    run_id,
    quantity,
    basis,
    published_value
from out.disagreements
where cause is null
