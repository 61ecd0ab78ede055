-- Old ids of runs that were merged into another run.
select
    relations.run_id,
    relations.other_run_id,
    runs.model
from run_relations as relations
inner join emissions as runs on relations.other_run_id = runs.run_id
where relations.relation = 'merged'
order by relations.run_id
