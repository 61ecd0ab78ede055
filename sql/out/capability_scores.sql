-- Scores of models in benchmarks, for the training runs of this dataset. One row per run, benchmark and published score.
-- The ids of the source's records are in capability_scores.csv alone.
select
    run_id,
    benchmark,
    row_number() over (partition by run_id, benchmark order by model_version, source_locator) as score_index,
    model_version,
    shots,
    scored_by,
    scored_url,
    score,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    regexp_replace(source_locator, ', id .*', '') as source_locator,
    verified
from raw.capability_scores
