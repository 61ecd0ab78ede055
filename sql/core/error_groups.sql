-- Errors of estimates whose truth was held out, with what they may have in common. One row per error and source of errors.
with hours as (
    select
        'chip_hours' as factor,
        errors.basis,
        errors.observation_id,
        errors.log_ratio,
        chip_family(observations.hardware_id) as chip,
        runs.organisation,
        cast(year(runs.published_date) as varchar) as year
    from core.held_out_hours as errors
    inner join core.flop_observations as observations on errors.observation_id = observations.observation_id
    inner join core.training_runs as runs on errors.run_id = runs.run_id
    where errors.held_out_scope = if(errors.basis = 'flop_by_developer', 'run', 'developer') -- as core.method fits it
),

grouped as (
    select
        factor,
        basis,
        observation_id,
        log_ratio,
        unnest(['chip', 'organisation', 'year']) as error_source,
        unnest([chip, organisation, year]) as error_key
    from hours
    union all
    select
        'watts_per_chip' as factor,
        basis,
        observation_id,
        log_ratio,
        unnest(['chip', 'source']) as error_source,
        unnest([hardware_id, source_title]) as error_key
    from core.power_errors
    union all
    select
        factor,
        basis,
        run_id as observation_id,
        log_ratio,
        'organisation' as error_source,
        organisation as error_key
    from core.location_errors
)

select
    factor,
    basis,
    error_source,
    error_key,
    observation_id,
    log_ratio
from grouped
where error_key is not null
