-- The PUE, in the year of one run, of the locations of other runs within two years: the developer's own runs, or those of
-- all other developers, as in core.pue_ladder. One row per run. Each company counts once, and so does each location of it.
with others as (
    select
        told.*,
        told_runs.model,
        if(runs.developer = told.developer, runs.developer, lead_organisation(told.developer)) as organisation
    from out.training_runs as runs
    inner join core.told_pues as told
        on
            runs.run_year = told.year
            and runs.run_id <> told.run_id
            and if(
                getvariable('basis') = 'developer_places',
                runs.developer = told.developer,
                not are_related(runs.developer, told.developer)
            )
    inner join out.training_runs as told_runs on told.run_id = told_runs.run_id
    where runs.run_id = getvariable('run_id')
),

organisations as (
    select
        organisation,
        count(distinct row(developer, told_place)) as places,
        count(*) over () as organisations
    from others
    group by organisation
)

select
    others.model || ' (' || others.run_id || '), as of ' || others.factor_year as name,
    others.pue as value,
    'PUE' as unit,
    1 / organisations.organisations / organisations.places
    / count(*) over (partition by others.organisation, others.developer, others.told_place) as weight_fraction,
    source_id(others.source_url) as source_id,
    others.source_title,
    others.source_url,
    others.source_locator,
    others.verified
from others
inner join organisations on others.organisation = organisations.organisation
