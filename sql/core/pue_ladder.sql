-- PUE of each run by every rung that the facts allow. One row per run and rung.
-- Another year's PUE stands in only where the year of the run has none; factor_year tells.
with runs as (
    select
        run_id,
        developer,
        covers,
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

-- What is known best of each run's PUE, for runs of which nothing is known. A hypothetical run was at no such place.
told as (
    select
        known.run_id,
        runs.developer,
        runs.run_year,
        known.value,
        known.source_title,
        known.source_url,
        known.verified
    from known
    inner join runs on known.run_id = runs.run_id
    inner join raw.method_rungs as rungs on rungs.factor = 'pue' and known.basis = rungs.basis
    where runs.developer is not null and runs.covers is distinct from 'hypothetical'
    qualify row_number() over (partition by known.run_id order by rungs.rung) = 1
),

-- The developer's own runs, and those of all others. Laboratories of one company count once together, and say nothing of
-- each other's runs: withheld, they were further off than strangers.
others as (
    select
        runs.run_id,
        coalesce(runs.developer = told.developer, false) as is_own_developer,
        if(is_own_developer, runs.developer, lead_organisation(told.developer)) as developer,
        told.run_id as other_id,
        told.value,
        told.source_title,
        told.source_url,
        told.verified
    from runs
    inner join told
        on
            told.run_year between runs.run_year - 2 and runs.run_year + 2
            and runs.run_id <> told.run_id
            and (runs.developer = told.developer or not are_related(runs.developer, told.developer))
),

near as (
    select
        run_id,
        is_own_developer,
        developer,
        avg(ln(value) order by other_id) as ln_pue,
        count(*) as runs,
        first_source(source_title, source_url, null)[1] as source_title,
        first_source(source_title, source_url, null)[2] as source_url,
        least_verified(verified) as verified
    from others
    group by run_id, is_own_developer, developer
),

trained as (
    select
        run_id,
        exp(avg(ln_pue order by developer)) as value,
        count(*) as developers,
        sum(runs) as runs,
        first_source(source_title, source_url, null)[1] as source_title,
        first_source(source_title, source_url, null)[2] as source_url,
        least_verified(verified) as verified
    from near
    where not is_own_developer
    group by run_id
    having developers >= 3
)

select *
from known
union all
select
    run_id,
    'developer_places' as basis,
    exp(ln_pue) as value,
    cast(null as integer) as factor_year,
    source_title,
    source_url,
    'geometric mean of the PUE known for ' || runs || ' other runs of ' || developer
    || ' within two years; the source named is the first of theirs' as source_locator,
    verified
from near
where is_own_developer
union all
select
    run_id,
    'training_places' as basis,
    value,
    cast(null as integer) as factor_year,
    source_title,
    source_url,
    'geometric mean over ' || developers || ' developers of the PUE known for ' || runs
    || ' training runs within two years; the source named is the first of theirs' as source_locator,
    verified
from trained
union all
select *
from nearest_industry
