-- The published facts are the curated ones, none lost or doubled on the way.
select coalesce(curated.run_id, published.run_id) as run_id
from raw.training_runs as curated
full outer join out.training_runs as published on curated.run_id = published.run_id
where curated.run_id is null or published.run_id is null
