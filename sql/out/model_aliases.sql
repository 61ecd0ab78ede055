-- Every name that a model has had upstream, and the run that it is here. One row per name.
-- A rename upstream is one more alias of the same run_id.
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
