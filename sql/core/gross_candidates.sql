-- Carbon intensity (location-based) of each run, on every basis that the facts allow. One row per run and basis.
-- Another year is used only if the run's year has no figure; factor_year shows it.
-- A yearly figure is weighed with the months of the run where all of them are known, on its own basis.
with locations as (
    select
        run_id,
        run_year,
        unnest(['region_year', 'country_year', 'world_year']) as basis,
        unnest([region, site_country, 'WORLD']) as location_id
    from core.training_runs
    where run_year is not null
),

known as (
    select
        run_id,
        'disclosed' as basis,
        gross_kg_per_kwh as value,
        'unspecified' as intensity_basis,
        run_year as factor_year,
        source_title,
        source_url,
        source_locator,
        verified
    from core.training_runs
    where gross_kg_per_kwh is not null
    union all
    select
        locations.run_id,
        locations.basis,
        grids.carbon_intensity_g_per_kwh / 1000 as value, -- g to kg
        grids.intensity_basis,
        grids.factor_year,
        grids.source_title,
        grids.source_url,
        grids.source_locator,
        grids.verified
    from locations
    inner join core.location_grids as grids on locations.basis = grids.basis and locations.location_id = grids.location_id
    qualify row_number() over (
        partition by locations.run_id, locations.basis order by abs(grids.factor_year - locations.run_year), grids.factor_year
    ) = 1
),

developer_countries as (
    select
        run_id,
        run_year,
        unnest(string_split(developer_country, ';')) as country
    from core.training_runs
    where developer_country is not null and run_year is not null
),

nearest_developer_country as (
    select
        runs.run_id,
        runs.country,
        grids.carbon_intensity_g_per_kwh,
        grids.intensity_basis,
        grids.factor_year,
        grids.source_title,
        grids.source_url,
        grids.verified
    from developer_countries as runs
    inner join core.location_grids as grids on grids.basis = 'country_year' and runs.country = grids.location_id
    qualify row_number() over (
        partition by runs.run_id, runs.country order by abs(grids.factor_year - runs.run_year), grids.factor_year
    ) = 1
),

run_months as (
    select
        run_id,
        region,
        site_country,
        unnest(
            generate_series(
                strptime(started_month, '%Y-%m'),
                strptime(started_month, '%Y-%m') + to_hours(cast(coalesce(training_hours, 0) as bigint)),
                interval 1 month
            )
        ) as month_start
    from core.training_runs
    where started_month is not null
),

weighed as (
    select
        yearly.run_id,
        replace(yearly.basis, '_year', '_month') as basis,
        any_value(yearly.value) * avg(months.month_to_year_ratio order by months.month) as value,
        any_value(yearly.intensity_basis) as intensity_basis,
        any_value(yearly.factor_year) as factor_year,
        any_value(yearly.source_title) as source_title,
        any_value(yearly.source_url) as source_url,
        any_value(yearly.source_locator) || '; x ' || round(avg(months.month_to_year_ratio order by months.month), 3)
        || ', the hours of ' || string_agg(months.month, ', ' order by months.month) || ' over those of the year ('
        || any_value(months.source) || ' ' || any_value(months.zone) || ')' as source_locator,
        any_value(yearly.verified) as verified
    from known as yearly
    inner join run_months as runs on yearly.run_id = runs.run_id
    left join core.grid_months as months
        on
            months.location_id = if(yearly.basis = 'region_year', runs.region, runs.site_country)
            and months.month = strftime(runs.month_start, '%Y-%m')
            and yearly.intensity_basis = months.intensity_basis
            and yearly.factor_year = cast(left(months.month, 4) as integer)
    where yearly.basis in ('region_year', 'country_year')
    group by yearly.run_id, yearly.basis
    having count(*) = count(months.month)
),

-- Where the organisation's other runs of these years were, for runs whose location is not known. A hypothetical run was nowhere.
-- A paper tells each of its places once, however many runs it has there. Each location is looked up in the year of the run.
-- Where the operator of the run is known, only locations of the same operator count.
operators as (
    select
        run_id,
        list(provider order by provider) as providers
    from core.run_providers
    group by run_id
),

stated as (
    select distinct
        runs.run_id,
        runs.run_year,
        others.source_url,
        others.region,
        others.site_country
    from core.training_runs as runs
    inner join core.training_runs as others
        on
            runs.organisation = others.organisation
            and others.run_year between runs.run_year - 2 and runs.run_year + 2
            and runs.run_id <> others.run_id
    left join operators on runs.run_id = operators.run_id
    where
        others.covers is distinct from 'hypothetical'
        and (operators.providers is null or list_contains(operators.providers, others.provider))
),

nearest_stated as (
    select
        stated.run_id,
        stated.run_year,
        grids.location_id,
        grids.carbon_intensity_g_per_kwh / 1000 as value, -- g to kg
        grids.intensity_basis,
        grids.factor_year,
        grids.source_title,
        grids.source_url,
        grids.verified
    from (
        select
            *,
            unnest(['region_year', 'country_year']) as basis,
            unnest([region, site_country]) as location_id
        from stated
    ) as stated
    inner join core.location_grids as grids on stated.basis = grids.basis and stated.location_id = grids.location_id
    qualify row_number() over (
        partition by stated.run_id, stated.source_url, stated.region, stated.site_country
        order by grids.basis = 'country_year', abs(grids.factor_year - stated.run_year), grids.factor_year
    ) = 1
),

developer_locations as (
    select
        run_id,
        run_year,
        intensity_basis,
        exp(avg(ln(nullif(value, 0)) order by location_id, value)) as value,
        count(*) as locations,
        min(factor_year) as first_year,
        max(factor_year) as last_year,
        first_source(source_title, source_url, null)[1] as source_title,
        first_source(source_title, source_url, null)[2] as source_url,
        least_verified(verified) as verified
    from nearest_stated
    group by run_id, run_year, intensity_basis
    qualify row_number() over (partition by run_id order by count(*) desc, intensity_basis asc) = 1
)

select *
from known
union all
select *
from weighed
union all
select
    run_id,
    'developer_locations' as basis,
    value,
    intensity_basis,
    furthest_year(first_year, last_year, run_year) as factor_year,
    source_title,
    source_url,
    'geometric mean of the grids of ' || counted(locations, 'location')
    || ' of other runs of the organisation within two years, as of '
    || year_span(first_year, last_year) || '; the source named is the first of theirs' as source_locator,
    verified
from developer_locations
where value is not null
union all
select
    run_id,
    basis,
    exp(sum(weight_fraction * ln(value) order by location_id)) as value,
    'lifecycle' as intensity_basis,
    furthest_year(min(factor_year), max(factor_year), any_value(run_year)) as factor_year,
    first_source(source_title, source_url, null)[1] as source_title,
    first_source(source_title, source_url, null)[2] as source_url,
    'geometric mean of the grids of ' || counted(count(*), 'location') || ' of '
    || string_agg(distinct provider, ';' order by provider)
    || if(basis = 'provider_regions', ', all its cloud regions', ', those that a source names')
    || '; the source named is the first of theirs' as source_locator,
    least_verified(verified) as verified
from core.provider_mixes
group by run_id, basis
union all
select
    run_id,
    'developer_country_year' as basis,
    avg(carbon_intensity_g_per_kwh order by country) / 1000 as value, -- g to kg
    min(intensity_basis) as intensity_basis,
    min(factor_year) as factor_year,
    first_source(source_title, source_url, null)[1] as source_title,
    first_source(source_title, source_url, null)[2] as source_url,
    'mean of ' || string_agg(country || ' ' || factor_year, ', ' order by country) as source_locator,
    least_verified(verified) as verified
from nearest_developer_country
group by run_id
