-- Models that are known but whose energy cannot be computed. One row per model, with the reason.
-- With emissions it names every model of the curated facts and of the upstream, each in one of the two.
with unestimated as (
    select
        run_id,
        model,
        case
            when hardware is null and coalesce(training_flop, chip_hours, chips * training_hours) is null
                then 'no accelerator, chip-hours, FLOP or energy disclosed'
            when run_year is null then 'no publication date, so no year to find PUE and grid for'
            when coalesce(training_flop, chip_hours, chips * training_hours) is null
                then 'no chip-hours, and no FLOP to infer them from'
            when hardware is not null and hardware_id is null then 'an accelerator that is not known here'
            when
                hardware_id is null
                and run_id not in (select mix.run_id from core.hardware_mix as mix)
                then 'trained before the first accelerator with measured facts, or in a year without any'
            else 'no 16-bit peak or rating of its accelerator'
        end as reason,
        source_title,
        source_url,
        source_locator
    from core.training_runs
    where run_id not in (select emissions.run_id from out.emissions as emissions)
),

contradicting as (
    select
        runs.run_id,
        runs.model,
        'quarantined: ' || string_agg(checks.message, '; ' order by checks.check_name) as reason,
        runs.source_title,
        runs.source_url,
        runs.source_locator
    from core.upstream_runs as runs
    inner join core.model_checks as checks on runs.run_id = checks.run_id
    where runs.run_id not in (select known.run_id from core.disclosed_runs as known)
    group by runs.run_id, runs.model, runs.source_title, runs.source_url, runs.source_locator
),

unreadable as (
    select
        ids.run_id,
        ids.upstream_name as model,
        'quarantined: ' || string_agg(
            quarantine.column_name || ' = ' || coalesce(quarantine.cell, 'empty') || ', ' || quarantine.message, '; '
            order by quarantine.column_name
        ) as reason,
        upstreams.title as source_title,
        upstreams.url as source_url,
        'Model = ' || ids.upstream_name as source_locator
    from core.model_ids as ids
    inner join raw.quarantine as quarantine
        on ids.upstream_name = quarantine.row_key and quarantine.source = 'epoch_models' and quarantine.check_name <> 'key'
    inner join raw.upstreams as upstreams on upstreams.source = 'epoch_models'
    where
        ids.run_id not in (select known.run_id from core.disclosed_runs as known)
        and ids.run_id not in (select runs.run_id from core.upstream_runs as runs)
        and ids.run_id not in (
            select merged.run_id
            from raw.run_relations as merged
            where merged.relation = 'merged'
        )
    group by ids.run_id, ids.upstream_name, upstreams.title, upstreams.url
),

footprints as (
    select
        run_id,
        min(model) as model,
        case
            when bool_and(scope = 'lifecycle') then 'only a lifecycle total was published'
            when bool_or(covers = 'several_runs') then 'only a total over several runs was published'
            when bool_or(quantity = 'energy_mwh') then 'only an energy of unclear coverage was published'
            else 'only tonnes of CO2e were published, without hardware, hours or energy'
        end as reason,
        first_source(source_title, source_url, source_locator)[1] as source_title,
        first_source(source_title, source_url, source_locator)[2] as source_url,
        first_source(source_title, source_url, source_locator)[3] as source_locator
    from raw.published_footprints
    where
        run_id not in (select known.run_id from core.disclosed_runs as known)
        and run_id not in (select runs.run_id from core.upstream_runs as runs)
        and run_id not in (select unreadable.run_id from unreadable)
    group by run_id
),

models as (
    select *
    from unestimated
    union all
    select *
    from contradicting
    union all
    select *
    from unreadable
    union all
    select *
    from footprints
)

select
    run_id,
    model,
    reason,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator
from models
