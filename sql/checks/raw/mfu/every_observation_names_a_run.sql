-- Each training counts once, and is left out together with its developer. Each observation therefore needs the run_id
-- of a known run.
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
