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

stated_developers as (
    select distinct
        developer,
        unnest(organisations(developer)) as organisation
    from core.stated_pues
),

-- The developers of told runs that have an organisation in common with a developer, itself among them.
relatives as (
    select
        developers.developer,
        list(distinct stated.developer order by stated.developer) as stated_developers
    from developers
    inner join stated_developers as stated on developers.organisation = stated.organisation
    group by developers.developer
),

stated_runs as (
    select distinct run_id
    from core.stated_pues
),

runs_with_relatives as (
    select
        runs.run_id,
        runs.run_year,
        coalesce(relatives.stated_developers, []) as stated_relatives,
        if(list_contains(relatives.stated_developers, runs.developer), runs.developer, null) as own_developer,
        stated_runs.run_id as own_run_id
    from runs
    left join relatives on runs.developer = relatives.developer
    left join stated_runs on runs.run_id = stated_runs.run_id
    where runs.run_year is not null
),

-- Runs with the same answer: of one year, developer and relatives. A run with a PUE of its own leaves that out, and so is alone.
askers as (
    select
        min(run_id) as asker,
        list(run_id order by run_id) as run_ids,
        run_year,
        stated_relatives,
        own_developer,
        own_run_id
    from runs_with_relatives
    group by run_year, stated_relatives, own_developer, own_run_id
),

-- The locations of the developer's own runs and of the runs of all others, in the year of the run. Laboratories of one
-- company count once together, and do not inform each other's runs: held out, they were further off than strangers.
locations as (
    select
        askers.asker,
        askers.run_year,
        coalesce(askers.own_developer = stated.developer, false) as is_own_developer,
        if(is_own_developer, askers.own_developer, lead_organisation(stated.developer)) as developer,
        stated.stated_location,
        avg(ln(stated.pue) order by stated.run_id) as ln_pue,
        min(stated.factor_year) as first_year,
        max(stated.factor_year) as last_year,
        first_source(stated.source_title, stated.source_url, null)[1] as source_title,
        first_source(stated.source_title, stated.source_url, null)[2] as source_url,
        least_verified(stated.verified) as verified
    from askers
    inner join core.stated_pues as stated
        on
            askers.run_year = stated.year
            and stated.run_id is distinct from askers.own_run_id
            and (askers.own_developer = stated.developer or not list_contains(askers.stated_relatives, stated.developer))
    group by askers.asker, askers.run_year, askers.own_developer, stated.developer, stated.stated_location
),

near as (
    select
        asker,
        run_year,
        is_own_developer,
        developer,
        avg(ln_pue order by stated_location, ln_pue) as mean_ln_pue,
        count(*) as locations,
        min(first_year) as first_year,
        max(last_year) as last_year,
        first_source(source_title, source_url, null)[1] as source_title,
        first_source(source_title, source_url, null)[2] as source_url,
        least_verified(verified) as verified
    from locations
    group by asker, run_year, is_own_developer, developer
),

trained as (
    select
        asker,
        run_year,
        exp(avg(mean_ln_pue order by developer)) as value,
        count(*) as developers,
        sum(locations) as locations,
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
        'developer_locations' as basis,
        exp(mean_ln_pue) as value,
        furthest_year(first_year, last_year, run_year) as factor_year,
        source_title,
        source_url,
        'geometric mean of the PUE of ' || counted(locations, 'location') || ' of other runs of ' || developer
        || ' within two years, as of ' || year_span(first_year, last_year)
        || '; the source named is the first of theirs' as source_locator,
        verified
    from near
    where is_own_developer
    union all
    select
        asker,
        'training_locations' as basis,
        value,
        furthest_year(first_year, last_year, run_year) as factor_year,
        source_title,
        source_url,
        'geometric mean over ' || counted(developers, 'developer') || ' of the PUE of ' || counted(locations, 'location')
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
