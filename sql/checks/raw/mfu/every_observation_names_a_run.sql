-- A training counts once, and is left out with its developer: so an observation bears the id of the run that it is of, not
-- one that no list has.
select
    model,
    run_id,
    source_locator
from raw.mfu
where
    run_id not in (
        select runs.run_id
        from raw.training_runs as runs
        union all
        select names.run_id
        from raw.model_names as names
    )
