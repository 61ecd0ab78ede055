-- Every upstream model either has an estimate or is listed with a reason. None is lost.
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
