-- Models that the facts know but whose energy they do not allow to compute. One row per model, with the reason.
with unestimated as (
    select
        run_id,
        model,
        if(
            hardware is null and training_flop is null,
            'no accelerator, chip-hours, FLOP or energy disclosed',
            'no chip-hours, and no FLOP or 16-bit peak to infer them from'
        ) as reason,
        source_title,
        source_url,
        source_locator
    from core.training_runs
    where run_id not in (select emissions.run_id from out.emissions as emissions)
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
        min(source_title) as source_title,
        min(source_url) as source_url,
        min(source_locator) as source_locator
    from raw.published_footprints
    where run_id not in (select runs.run_id from raw.training_runs as runs)
    group by run_id
)

select
    run_id,
    model,
    reason,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator
from unestimated
union all
select
    run_id,
    model,
    reason,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator
from footprints
