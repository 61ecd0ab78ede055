-- The stable id of every model that Epoch lists. One row per name.
-- A registered name keeps its id. A new name is a registered model that is gone, renamed, if it has the letters of
-- that model alone, or else its address and day. Any other new name gets its slug, with a checksum where the slug
-- is taken. A name whose row was turned away keeps the id that it has, and gets none.
with names as (
    select
        model as upstream_name,
        published_date,
        first_url(source_link) as source_url
    from raw.epoch_models
    union all
    select distinct
        row_key as upstream_name,
        cast(null as date) as published_date,
        cast(null as varchar) as source_url
    from raw.quarantine
    where
        source = 'epoch_models'
        and row_key not in (select listed.model from raw.epoch_models as listed)
        and row_key in (select registered.upstream_name from raw.model_names as registered)
),

strangers as (
    select
        names.upstream_name,
        names.published_date,
        names.source_url
    from names
    left join raw.model_names as registered on names.upstream_name = registered.upstream_name
    where registered.run_id is null
),

vanished as (
    select
        run_id,
        max(published_date) as published_date,
        max(source_url) as source_url
    from raw.model_names
    where
        run_id not in (
            select registered.run_id
            from raw.model_names as registered
            inner join names on registered.upstream_name = names.upstream_name
        )
    group by run_id
),

respelled as (
    select distinct
        strangers.upstream_name,
        vanished.run_id,
        strangers.published_date,
        strangers.source_url
    from strangers
    inner join raw.model_names as registered
        on letters(strangers.upstream_name) = letters(registered.upstream_name)
    inner join vanished on registered.run_id = vanished.run_id
    qualify
        count(*) over (partition by strangers.upstream_name) = 1
        and count(*) over (partition by vanished.run_id) = 1
),

renames as (
    from respelled
    union all
    select
        strangers.upstream_name,
        vanished.run_id,
        strangers.published_date,
        strangers.source_url
    from strangers
    inner join vanished
        on strangers.source_url = vanished.source_url and strangers.published_date = vanished.published_date
    where
        strangers.upstream_name not in (select respelled.upstream_name from respelled)
        and vanished.run_id not in (select respelled.run_id from respelled)
    qualify
        count(*) over (partition by strangers.upstream_name) = 1
        and count(*) over (partition by vanished.run_id) = 1
),

taken as (
    select run_id
    from raw.model_names
    union
    select run_id
    from raw.training_runs
    union
    select run_id
    from raw.published_footprints
    where run_id is not null
    union
    select run_id
    from raw.run_relations
),

slugs as (
    select
        upstream_name,
        published_date,
        source_url,
        coalesce(nullif(slug(upstream_name), ''), 'model-' || left(sha256(upstream_name), 8)) as slug,
        count(*) over (partition by slug(upstream_name)) as names
    from strangers
    where upstream_name not in (select renames.upstream_name from renames)
)

select
    registered.upstream_name,
    registered.run_id,
    'registered' as identity_rule,
    names.published_date,
    names.source_url
from names
inner join raw.model_names as registered on names.upstream_name = registered.upstream_name
union all
select
    upstream_name,
    run_id,
    'renamed' as identity_rule,
    published_date,
    source_url
from renames
union all
select
    upstream_name,
    if(
        names > 1 or slug in (select taken.run_id from taken),
        slug || '-' || left(sha256(upstream_name), 4),
        slug
    ) as run_id,
    'new' as identity_rule,
    published_date,
    source_url
from slugs
