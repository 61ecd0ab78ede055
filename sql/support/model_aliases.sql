-- Every name that a model has had upstream or has on Hugging Face, and the run that it is here. One row per name.
-- A rename upstream is one more alias of the same run_id. A repository is the model of one run at most.
select
    upstream_name,
    run_id,
    identity_rule
from core.model_ids
union all
select
    upstream_name,
    run_id,
    'registered' as identity_rule
from raw.model_names
where upstream_name not in (select ids.upstream_name from core.model_ids as ids)
union all
select
    identifier as upstream_name,
    run_id,
    'hugging_face' as identity_rule
from raw.run_identifiers
where identifier_scheme = 'huggingface' and identifier_match = 'same'
