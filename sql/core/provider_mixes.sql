-- Locations that a run may have used, from its operators. One row per run and location, with its weight.
-- The locations of an operator are where its organisation trains with it, as a source names; else the regions that offer
-- the accelerator; else all its cloud regions. Operators count alike, and so do the locations of each: capacities are
-- not published. A run at a known region does not use its organisation's: so it can be compared with its own.
-- Every location has its life-cycle intensity of the nearest year: that of its country, in the US that of the eGRID
-- subregion, converted by core.lifecycle_ratio.
with listed as (
    select
        providers.run_id,
        providers.provider,
        runs.run_year,
        providers.location_id,
        'named' as origin
    from core.run_providers as providers
    inner join core.training_runs as runs on providers.run_id = runs.run_id
    where providers.location_id is not null and runs.region is null
    union all
    select
        providers.run_id,
        providers.provider,
        runs.run_year,
        offers.cloud_region as location_id,
        'accelerator' as origin
    from core.run_providers as providers
    inner join core.training_runs as runs on providers.run_id = runs.run_id
    inner join raw.accelerator_regions as offers
        on providers.provider = offers.provider and runs.hardware_id = offers.hardware_id
    union all
    select
        providers.run_id,
        providers.provider,
        runs.run_year,
        regions.region as location_id,
        'all' as origin
    from core.run_providers as providers
    inner join core.training_runs as runs on providers.run_id = runs.run_id
    inner join raw.regions as regions on providers.provider = regions.provider and not starts_with(regions.region, 'site:')
),

best as (
    select *
    from listed
    where run_year is not null
    qualify
        case origin when 'named' then 1 when 'accelerator' then 2 else 3 end
        = min(case origin when 'named' then 1 when 'accelerator' then 2 else 3 end) over (partition by run_id, provider)
),

asked as (
    select distinct
        location_id,
        run_year
    from best
),

countries as (
    select
        region,
        country
    from raw.regions
    union all
    select distinct
        country as region,
        country
    from raw.regions
),

figures as (
    select
        grid.region as location_id,
        1 as preference,
        grid.factor_year,
        grid.carbon_intensity_g_per_kwh / 1000 -- g to kg
        * if(grid.intensity_basis = 'direct', ratio.lifecycle_to_direct_ratio, 1) as value,
        grid.source_title,
        grid.source_url,
        grid.source_locator
        || if(
            grid.intensity_basis = 'direct',
            ', x ' || round(ratio.lifecycle_to_direct_ratio, 3) || ', life-cycle over direct',
            ''
        ) as source_locator,
        grid.verified
    from core.region_intensity as grid
    inner join raw.regions as regions on grid.region = regions.region and regions.egrid_subregion is not null
    cross join core.lifecycle_ratio as ratio
    where grid.carbon_intensity_g_per_kwh > 0
    union all
    select
        coalesce(regions.region, grid.region) as location_id,
        2 as preference,
        grid.year as factor_year,
        grid.carbon_intensity_g_per_kwh / 1000 as value, -- g to kg
        grid.source_title,
        grid.source_url,
        grid.source_locator,
        grid.verified
    from core.grid_intensity as grid
    left join countries as regions on grid.region = regions.country
    where grid.scheme = 'country' and grid.intensity_basis = 'lifecycle' and grid.carbon_intensity_g_per_kwh > 0
),

nearest as (
    select
        asked.location_id,
        asked.run_year,
        figures.value,
        figures.factor_year,
        figures.source_title,
        figures.source_url,
        figures.source_locator,
        figures.verified
    from asked
    inner join figures on asked.location_id = figures.location_id
    qualify
        row_number() over (
            partition by asked.location_id, asked.run_year
            order by figures.preference, abs(figures.factor_year - asked.run_year), figures.factor_year
        ) = 1
),

weighed as (
    select
        best.run_id,
        best.provider,
        best.origin,
        nearest.*,
        1 / count(*) over (partition by best.run_id, best.provider) as share_of_provider,
        count(distinct best.provider) over (partition by best.run_id) as provider_count
    from best
    inner join nearest on best.location_id = nearest.location_id and best.run_year = nearest.run_year
)

select
    run_id,
    location_id,
    if(bool_or(bool_or(origin = 'all')) over (partition by run_id), 'provider_regions', 'provider_locations') as basis,
    string_agg(distinct provider, ';' order by provider) as provider,
    sum(share_of_provider order by provider) / any_value(provider_count) as weight_fraction, -- shares of a provider add up to 1
    any_value(value) as value,
    any_value(factor_year) as factor_year,
    any_value(run_year) as run_year,
    any_value(source_title) as source_title,
    any_value(source_url) as source_url,
    any_value(source_locator) as source_locator,
    any_value(verified) as verified
from weighed
group by run_id, location_id
