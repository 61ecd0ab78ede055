-- A model that upstream lists is estimated or listed with a reason, never lost and never both.
select
    ids.run_id,
    ids.upstream_name,
    count(emissions.run_id) as estimated,
    count(without.run_id) as listed
from core.model_ids as ids
left join out.emissions as emissions on ids.run_id = emissions.run_id
left join out.models_without_estimate as without on ids.run_id = without.run_id
group by ids.run_id, ids.upstream_name
having count(emissions.run_id) + count(without.run_id) <> 1
