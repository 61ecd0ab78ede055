-- Two names in the same upstream list are two models. With one run_id, one of them would be lost.
select
    run_id,
    string_agg(upstream_name, '; ' order by upstream_name) as upstream_names
from core.model_ids
group by run_id
having count(*) > 1
