-- What developers and others published of a run, and the estimate of the same quantity.
select
    run_id,
    quantity,
    basis,
    scope,
    derivation,
    status,
    published_by,
    published_value,
    computed_value,
    ratio,
    inside_interval,
    source_id,
    source_title
from agreement
where held_out = 'nothing'
order by run_id, quantity, basis, published_value, source_id
