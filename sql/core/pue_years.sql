-- PUE by operator, location and year, and by quarter where known. One row per operator, location and period.
-- Design values and claims are left out: they are no averages of a period. A year is the annual figure, else the trailing
-- twelve months, else the mean of the quarters known, each site by itself; a region is the mean of its sites.
with locations as (
    select
        provider,
        coalesce('site:' || site, provider) as region,
        site,
        cloud_region,
        cast(left(period, 4) as integer) as factor_year,
        if(period like '____-Q_', period, null) as quarter,
        pue,
        case pue_basis
            when 'annual' then 1 when 'survey_average' then 1 when 'trailing_twelve_month' then 2 when 'quarterly' then 3
        end as preference,
        source_title,
        source_url,
        source_locator,
        verified
    from core.datacenter_pue
    where pue_basis not in ('design', 'claimed')
),

regions as (
    select
        provider,
        region,
        site,
        site = 'fleet average' or provider = industry_average() as is_average,
        factor_year,
        quarter,
        preference,
        pue,
        source_title,
        source_url,
        source_locator,
        verified
    from locations
    union all
    select
        provider,
        cloud_region as region,
        site,
        false as is_average,
        factor_year,
        quarter,
        preference,
        pue,
        source_title,
        source_url,
        source_locator,
        verified
    from locations
    where cloud_region is not null
),

sites as (
    select
        provider,
        region,
        site,
        bool_or(is_average) as is_average,
        factor_year,
        quarter,
        avg(pue order by pue) as pue,
        first_source(source_title, source_url, source_locator)[1] as source_title,
        first_source(source_title, source_url, source_locator)[2] as source_url,
        first_source(source_title, source_url, source_locator)[3] as source_locator,
        least_verified(verified) as verified
    from regions
    where quarter is not null and preference = 3
    group by provider, region, site, factor_year, quarter
    union all
    select
        provider,
        region,
        site,
        bool_or(is_average) as is_average,
        factor_year,
        cast(null as varchar) as quarter,
        avg(pue order by pue) as pue,
        first_source(source_title, source_url, source_locator)[1] as source_title,
        first_source(source_title, source_url, source_locator)[2] as source_url,
        first_source(source_title, source_url, source_locator)[3] as source_locator,
        least_verified(verified) as verified
    from regions
    group by provider, region, site, factor_year, preference
    qualify row_number() over (partition by provider, region, site, factor_year order by preference) = 1
)

select
    provider,
    region,
    bool_or(is_average) as is_average,
    factor_year,
    quarter,
    coalesce(quarter, cast(factor_year as varchar)) as period,
    avg(pue order by pue) as pue,
    first_source(source_title, source_url, source_locator)[1] as source_title,
    first_source(source_title, source_url, source_locator)[2] as source_url,
    if(
        count(*) > 1,
        'average of the ' || count(*) || ' sites of the region: '
        || string_agg(source_locator || ': ' || round(pue, 3), '; ' order by source_locator),
        any_value(source_locator)
    ) as source_locator,
    least_verified(verified) as verified
from sites
group by provider, region, factor_year, quarter
