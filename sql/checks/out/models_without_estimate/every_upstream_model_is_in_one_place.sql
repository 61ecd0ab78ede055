-- Every upstream model either has an estimate or is listed with a reason. None is lost.
-- A run that was merged into another is listed under the id of the other.
select
    ids.run_id,
    ids.upstream_name,
    count(emissions.run_id) as estimated,
    count(without.run_id) as listed
from core.model_ids as ids
left join out.emissions as emissions on ids.run_id = emissions.run_id
left join out.models_without_estimate as without on ids.run_id = without.run_id
where
    ids.run_id not in (
        select merged.run_id
        from raw.run_relations as merged
        where merged.relation = 'merged'
    )
group by ids.run_id, ids.upstream_name
having count(emissions.run_id) + count(without.run_id) <> 1
