-- The PUE known of other runs within two years of one run: of its developer's, or of all others, each developer counted once,
-- as in core.pue_ladder. One row per run.
with told as (
    select
        runs.run_id,
        runs.model,
        runs.developer,
        runs.run_year,
        factors.value,
        factors.source_id,
        factors.source_title,
        factors.source_url,
        factors.source_locator,
        factors.verified
    from out.emission_factors as factors
    inner join out.training_runs as runs on factors.run_id = runs.run_id
    where
        factors.factor = 'pue'
        and factors.basis not in ('developer_places', 'training_places', 'industry_year')
        and runs.developer is not null
        and runs.covers is distinct from 'hypothetical'
),

others as (
    select
        told.*,
        lead_organisation(told.developer) as organisation
    from out.training_runs as runs
    inner join told
        on
            told.run_year between runs.run_year - 2 and runs.run_year + 2
            and runs.run_id <> told.run_id
            and if(
                getvariable('basis') = 'developer_places',
                runs.developer = told.developer,
                not are_related(runs.developer, told.developer)
            )
    where runs.run_id = getvariable('run_id')
),

organisations as (
    select
        organisation,
        count(*) as runs,
        count(*) over () as organisations
    from others
    group by organisation
)

select
    others.model || ' (' || others.run_id || ')' as name,
    others.value,
    'PUE' as unit,
    1 / organisations.organisations / organisations.runs as weight_fraction,
    others.source_id,
    others.source_title,
    others.source_url,
    others.source_locator,
    others.verified
from others
inner join organisations on others.organisation = organisations.organisation
