-- A relation leads to a run of the dataset; a merged run has no row of its own.
select
    relations.run_id,
    relations.other_run_id,
    relations.relation
from out.run_relations as relations
left join out.training_runs as runs on relations.run_id = runs.run_id
left join out.training_runs as others on relations.other_run_id = others.run_id
where others.run_id is null or (relations.relation = 'merged') <> (runs.run_id is null)
