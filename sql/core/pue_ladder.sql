-- PUE of each run by every rung that the facts allow. One row per run and rung.
-- Another year's PUE stands in only where the year of the run has none; factor_year tells.
with runs as (
    select
        run_id,
        provider,
        region,
        run_year,
        started_month,
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
)

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
select
    run_id,
    'site_year' as basis,
    value,
    factor_year,
    source_title,
    source_url,
    source_locator,
    verified
from nearest_site
union all
select
    run_id,
    'provider_year' as basis,
    value,
    factor_year,
    source_title,
    source_url,
    source_locator,
    verified
from nearest_fleet
union all
select
    run_id,
    'industry_year' as basis,
    value,
    factor_year,
    source_title,
    source_url,
    source_locator,
    verified
from nearest_industry
