-- Training runs as their developers disclosed them. One row per run; what was not disclosed is null.
select
    * exclude (region),
    source_id(source_url) as source_id
from core.training_runs
