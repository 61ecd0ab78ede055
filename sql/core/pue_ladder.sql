-- PUE of each run, on every basis that the facts allow. One row per run and basis. Another year is used only if the
-- run's year has no figure; factor_year shows it.
with runs as (
    select
        run_id,
        developer,
        provider,
        region,
        run_year,
        if(
            started_month is null, null,
            left(started_month, 4) || '-Q' || quarter(strptime(started_month, '%Y-%m'))
        ) as run_quarter,
        pue,
        source_title,
        source_url,
        source_locator,
        verified
    from core.training_runs
),

nearest_site as (
    select
        runs.run_id,
        'site_year' as basis,
        years.pue as value,
        years.factor_year,
        years.source_title,
        years.source_url,
        years.source_locator,
        years.verified
    from runs
    inner join core.pue_years as years on runs.provider = years.provider and runs.region = years.region
    where years.quarter is null
    qualify row_number() over (
        partition by runs.run_id order by abs(years.factor_year - runs.run_year), years.factor_year
    ) = 1
),

nearest_fleet as (
    select
        runs.run_id,
        'provider_year' as basis,
        years.pue as value,
        years.factor_year,
        years.source_title,
        years.source_url,
        years.source_locator,
        years.verified
    from runs
    inner join core.pue_years as years on runs.provider = years.provider
    where years.is_average and years.quarter is null
    qualify row_number() over (
        partition by runs.run_id order by abs(years.factor_year - runs.run_year), years.factor_year
    ) = 1
),

nearest_industry as (
    select
        runs.run_id,
        'industry_year' as basis,
        years.pue as value,
        years.factor_year,
        years.source_title,
        years.source_url,
        years.source_locator,
        years.verified
    from runs
    inner join core.pue_years as years on years.provider = 'Industry average (Uptime Institute)'
    where runs.run_year is not null
    qualify row_number() over (
        partition by runs.run_id order by abs(years.factor_year - runs.run_year), years.factor_year
    ) = 1
),

known as (
    select
        run_id,
        'disclosed' as basis,
        pue as value,
        run_year as factor_year,
        source_title,
        source_url,
        source_locator,
        verified
    from runs
    where pue is not null
    union all
    select
        runs.run_id,
        'site_quarter' as basis,
        quarters.pue as value,
        quarters.factor_year,
        quarters.source_title,
        quarters.source_url,
        quarters.source_locator,
        quarters.verified
    from runs
    inner join core.pue_years as quarters
        on
            runs.provider = quarters.provider
            and runs.region = quarters.region
            and runs.run_quarter = quarters.quarter
    union all
    select *
    from nearest_site
    union all
    select *
    from nearest_fleet
),

developers as (
    select distinct
        developer,
        unnest(organisations(developer)) as organisation
    from runs
),

told_developers as (
    select distinct
        developer,
        unnest(organisations(developer)) as organisation
    from core.told_pues
),

-- The developers of told runs that have an organisation in common with a developer, itself among them.
relatives as (
    select
        developers.developer,
        list(distinct told.developer order by told.developer) as told_developers
    from developers
    inner join told_developers as told on developers.organisation = told.organisation
    group by developers.developer
),

told_runs as (
    select distinct run_id
    from core.told_pues
),

runs_with_relatives as (
    select
        runs.run_id,
        runs.run_year,
        coalesce(relatives.told_developers, []) as told_relatives,
        if(list_contains(relatives.told_developers, runs.developer), runs.developer, null) as own_developer,
        told_runs.run_id as own_run_id
    from runs
    left join relatives on runs.developer = relatives.developer
    left join told_runs on runs.run_id = told_runs.run_id
    where runs.run_year is not null
),

-- Runs with the same answer: of one year, developer and relatives. A run with a PUE of its own leaves that out, and so is alone.
askers as (
    select
        min(run_id) as asker,
        list(run_id order by run_id) as run_ids,
        run_year,
        told_relatives,
        own_developer,
        own_run_id
    from runs_with_relatives
    group by run_year, told_relatives, own_developer, own_run_id
),

-- The places of the developer's own runs and of the runs of all others, in the year of the run. Laboratories of one company count
-- once together, and do not inform each other's runs: held out, they were further off than strangers.
places as (
    select
        askers.asker,
        askers.run_year,
        coalesce(askers.own_developer = told.developer, false) as is_own_developer,
        if(is_own_developer, askers.own_developer, lead_organisation(told.developer)) as developer,
        told.told_place,
        avg(ln(told.pue) order by told.run_id) as ln_pue,
        min(told.factor_year) as first_year,
        max(told.factor_year) as last_year,
        first_source(told.source_title, told.source_url, null)[1] as source_title,
        first_source(told.source_title, told.source_url, null)[2] as source_url,
        least_verified(told.verified) as verified
    from askers
    inner join core.told_pues as told
        on
            askers.run_year = told.year
            and told.run_id is distinct from askers.own_run_id
            and (askers.own_developer = told.developer or not list_contains(askers.told_relatives, told.developer))
    group by askers.asker, askers.run_year, askers.own_developer, told.developer, told.told_place
),

near as (
    select
        asker,
        run_year,
        is_own_developer,
        developer,
        avg(ln_pue order by told_place, ln_pue) as mean_ln_pue,
        count(*) as places,
        min(first_year) as first_year,
        max(last_year) as last_year,
        first_source(source_title, source_url, null)[1] as source_title,
        first_source(source_title, source_url, null)[2] as source_url,
        least_verified(verified) as verified
    from places
    group by asker, run_year, is_own_developer, developer
),

trained as (
    select
        asker,
        run_year,
        exp(avg(mean_ln_pue order by developer)) as value,
        count(*) as developers,
        sum(places) as places,
        min(first_year) as first_year,
        max(last_year) as last_year,
        first_source(source_title, source_url, null)[1] as source_title,
        first_source(source_title, source_url, null)[2] as source_url,
        least_verified(verified) as verified
    from near
    where not is_own_developer
    group by asker, run_year
    having developers >= 3
),

answers as (
    select
        asker,
        'developer_places' as basis,
        exp(mean_ln_pue) as value,
        furthest_year(first_year, last_year, run_year) as factor_year,
        source_title,
        source_url,
        'geometric mean of the PUE of ' || counted(places, 'place') || ' of other runs of ' || developer
        || ' within two years, as of ' || year_span(first_year, last_year)
        || '; the source named is the first of theirs' as source_locator,
        verified
    from near
    where is_own_developer
    union all
    select
        asker,
        'training_places' as basis,
        value,
        furthest_year(first_year, last_year, run_year) as factor_year,
        source_title,
        source_url,
        'geometric mean over ' || counted(developers, 'developer') || ' of the PUE of ' || counted(places, 'place')
        || ' of training runs within two years, as of ' || year_span(first_year, last_year)
        || '; the source named is the first of theirs' as source_locator,
        verified
    from trained
)

select *
from known
union all
select
    unnest(askers.run_ids) as run_id,
    answers.basis,
    answers.value,
    answers.factor_year,
    answers.source_title,
    answers.source_url,
    answers.source_locator,
    answers.verified
from answers
inner join askers on answers.asker = askers.asker
union all
select *
from nearest_industry
