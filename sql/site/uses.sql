-- Runs whose numbers depend on a source: a factor, or the facts of the run itself.
with uses as (
    select
        source_id,
        run_id
    from emission_factors
    union
    select
        source_id,
        run_id
    from emissions
)

select
    source_id,
    run_id
from uses
where source_id is not null
order by source_id, run_id
