-- Active parameters and training tokens of runs, as published. One row per run for which one of them is known.
select
    coalesce(sparse.run_id, tokens.run_id) as run_id,
    runs.parameters,
    runs.active_parameters,
    sparse.active_parameters_basis,
    tokens.training_tokens,
    tokens.epochs,
    tokens.training_tokens_basis,
    tokens.is_multimodal,
    sparse.source_title as active_source_title,
    sparse.source_url as active_source_url,
    sparse.source_locator as active_source_locator,
    source_id(coalesce(tokens.source_url, sparse.source_url)) as source_id,
    coalesce(tokens.source_title, sparse.source_title) as source_title,
    coalesce(tokens.source_url, sparse.source_url) as source_url,
    coalesce(tokens.source_locator, sparse.source_locator) as source_locator,
    coalesce(tokens.verified, sparse.verified) as verified
from raw.active_parameters as sparse
full join raw.training_tokens as tokens on sparse.run_id = tokens.run_id
inner join core.training_runs as runs on coalesce(sparse.run_id, tokens.run_id) = runs.run_id
