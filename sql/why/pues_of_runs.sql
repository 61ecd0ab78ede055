-- The PUE, in the year of one run, of the locations of other runs within two years: the organisation's own runs, or those
-- of all other organisations, as in core.pue_candidates. One row per run. Each organisation counts once, and so does each
-- location of it.
with others as (
    select
        stated.*,
        stated_runs.model
    from out.training_runs as runs
    inner join core.stated_pues as stated
        on
            runs.run_year = stated.year
            and runs.run_id <> stated.run_id
            and if(
                getvariable('basis') = 'developer_locations',
                runs.organisation = stated.organisation,
                not are_related(runs.organisations, stated.organisations)
            )
    inner join out.training_runs as stated_runs on stated.run_id = stated_runs.run_id
    where runs.run_id = getvariable('run_id')
),

organisations as (
    select
        organisation,
        count(distinct stated_location) as locations,
        count(*) over () as organisations
    from others
    group by organisation
)

select
    others.model || ' (' || others.run_id || '), as of ' || others.factor_year as name,
    others.pue as value,
    'PUE' as unit,
    1 / organisations.organisations / organisations.locations
    / count(*) over (partition by others.organisation, others.stated_location) as weight_fraction,
    source_id(others.source_url) as source_id,
    others.source_title,
    others.source_url,
    others.source_locator,
    others.verified
from others
inner join organisations on others.organisation = organisations.organisation
