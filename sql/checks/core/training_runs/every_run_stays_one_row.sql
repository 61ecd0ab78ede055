-- If a join multiplied or lost a run, its energy would count twice or not at all.
with resolved as (
    select count(*) as row_count
    from core.training_runs
),

curated as (
    select count(*) as row_count
    from core.disclosed_runs
)

select
    resolved.row_count as resolved_count,
    curated.row_count as curated_count
from resolved
cross join curated
where resolved.row_count <> curated.row_count
