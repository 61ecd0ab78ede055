-- Every name that a model has had upstream or has on Hugging Face, and the run that it is here. One row per name.
-- A rename upstream is one more alias of the same run_id. A repository is the model of one run at most. The names of a
-- merged run, and its old run_id, are names of the run that it was merged into.
with names as (
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
),

merged as (
    select
        run_id,
        other_run_id
    from raw.run_relations
    where relation = 'merged'
)

select
    names.upstream_name,
    coalesce(merged.other_run_id, names.run_id) as run_id,
    names.identity_rule
from names
left join merged on names.run_id = merged.run_id
union all
select
    merged.run_id as upstream_name,
    merged.other_run_id as run_id,
    'merged' as identity_rule
from merged
where merged.run_id not in (select names.upstream_name from names)
