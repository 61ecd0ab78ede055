-- PUE, gross intensity and the ratio of net to gross that a location may have in a year. One row per factor, location and period.
-- A location is a cloud region, an operator, a country or WORLD. A year without a figure takes that of the nearest one.
-- An operator's grid is the mix of its regions. net_to_gross_ratio is what the operator's hourly-matched supply leaves of the
-- grid's average, by core.region_supply.
with years as (
    select unnest(range(2009, 2028)) as year
),

-- Of two operators that name a site alike (Singapore), the location is that of regions.
site_pues as (
    select years.*
    from core.pue_years as years
    inner join raw.regions as regions
        on years.region = regions.region and years.provider = regions.provider
    where not years.is_average
),

pues as (
    select
        region as location_id,
        'site_year' as basis,
        factor_year,
        pue as value,
        source_title,
        source_url,
        source_locator,
        verified
    from site_pues
    where quarter is null
    union all
    select
        provider as location_id,
        'provider_year' as basis,
        factor_year,
        pue as value,
        source_title,
        source_url,
        source_locator,
        verified
    from core.pue_years
    where quarter is null and is_average and provider <> industry_average()
    union all
    select
        'WORLD' as location_id,
        'industry_year' as basis,
        factor_year,
        pue as value,
        source_title,
        source_url,
        source_locator,
        verified
    from core.pue_years
    where quarter is null and provider = industry_average()
),

yearly as (
    select
        'pue' as factor,
        *
    from pues
    union all by name
    select
        'gross_kg_per_kwh' as factor,
        * exclude (carbon_intensity_g_per_kwh),
        carbon_intensity_g_per_kwh / 1000 as value -- g to kg
    from core.location_grids
    union all by name
    select
        'gross_kg_per_kwh' as factor,
        provider as location_id,
        'provider_regions' as basis,
        carbon_intensity_g_per_kwh / 1000 as value, -- g to kg
        * exclude (provider, carbon_intensity_g_per_kwh, region_gsd, region_count)
    from core.provider_grids
),

nearest as (
    select
        yearly.factor,
        yearly.location_id,
        cast(years.year as varchar) as period,
        yearly.basis,
        yearly.value,
        yearly.intensity_basis,
        yearly.factor_year,
        yearly.source_title,
        yearly.source_url,
        yearly.source_locator,
        yearly.verified
    from years
    cross join yearly
    qualify row_number() over (
        partition by yearly.factor, yearly.location_id, years.year
        order by abs(yearly.factor_year - years.year), yearly.factor_year, yearly.basis
    ) = 1
),

quarters as (
    select
        'pue' as factor,
        region as location_id,
        quarter as period,
        'site_quarter' as basis,
        pue as value,
        factor_year,
        source_title,
        source_url,
        source_locator,
        verified
    from site_pues
    where quarter is not null
),

-- What the operator's supply leaves of the grid, at a region and as the mean over all regions of the operator.
supplies as (
    select
        years.year,
        supply.*,
        abs(supply.factor_year - years.year) as apart_years
    from years
    cross join core.region_supply as supply
    qualify row_number() over (
        partition by supply.region, years.year order by abs(supply.factor_year - years.year), supply.factor_year
    ) = 1
),

net_ratios as (
    select
        region as location_id,
        year,
        'operator_hourly' as basis,
        net_to_gross_ratio as value,
        1 - residual_fraction as supplied_fraction,
        rounding_ln_gsd,
        0 as mix_ln_variance,
        apart_years,
        factor_year,
        source_title,
        source_url,
        source_locator,
        verified
    from supplies
    union all
    select
        provider as location_id,
        year,
        'operator_locations' as basis,
        exp(avg(ln(net_to_gross_ratio) order by region)) as value,
        1 - avg(residual_fraction order by region) as supplied_fraction,
        sqrt(avg(pow(rounding_ln_gsd, 2) order by region)) as rounding_ln_gsd,
        var_pop(ln(net_to_gross_ratio) order by region) as mix_ln_variance,
        max(apart_years) as apart_years,
        furthest_year(min(factor_year), max(factor_year), year) as factor_year,
        first_source(source_title, source_url, null)[1] as source_title,
        first_source(source_title, source_url, null)[2] as source_url,
        'geometric mean over the ' || count(*) || ' cloud regions of the operator; the source named is the first of theirs'
            as source_locator,
        least_verified(verified) as verified
    from supplies
    where not starts_with(region, 'site:')
    group by provider, year
),

-- Where training runs of these years were, a mean over the locations of each organisation first, as in core.pue_candidates.
training_locations as (
    select
        year,
        organisation,
        stated_location,
        avg(ln(pue) order by run_id) as ln_pue,
        min(factor_year) as first_year,
        max(factor_year) as last_year,
        first_source(source_title, source_url, null)[1] as source_title,
        first_source(source_title, source_url, null)[2] as source_url,
        least_verified(verified) as verified
    from core.stated_pues
    where year in (select years.year from years)
    group by year, organisation, stated_location
),

organisations as (
    select
        year,
        organisation,
        avg(ln_pue order by stated_location, ln_pue) as mean_ln_pue,
        count(*) as locations,
        min(first_year) as first_year,
        max(last_year) as last_year,
        first_source(source_title, source_url, null)[1] as source_title,
        first_source(source_title, source_url, null)[2] as source_url,
        least_verified(verified) as verified
    from training_locations
    group by year, organisation
),

trained as (
    select
        'pue' as factor,
        'TRAINING' as location_id,
        cast(year as varchar) as period,
        'training_locations' as basis,
        exp(avg(mean_ln_pue order by organisation)) as value,
        furthest_year(min(first_year), max(last_year), year) as factor_year,
        first_source(source_title, source_url, null)[1] as source_title,
        first_source(source_title, source_url, null)[2] as source_url,
        'geometric mean over ' || counted(count(*), 'organisation') || ' of the PUE of ' || counted(sum(locations), 'location')
        || ' of training runs within two years, as of ' || year_span(min(first_year), max(last_year))
        || '; the source named is the first of theirs' as source_locator,
        least_verified(verified) as verified
    from organisations
    group by year
    having count(*) >= 3
),

-- An operator that publishes no PUE, as in core.pue_candidates.
unpublished as (
    select
        trained.factor,
        'UNPUBLISHED' as location_id,
        trained.period,
        'unpublished_operator' as basis,
        unpublished_operator_pue(trained.value, mix.publishing_fraction, mix.other_pue) as value,
        trained.factor_year,
        trained.source_title,
        trained.source_url,
        unpublished_operator_words(trained.value, mix.publishing_fraction, mix.other_pue) as source_locator,
        trained.verified
    from trained
    cross join core.unpublished_pue as mix
)

select *
from nearest
union all by name
select *
from quarters
union all by name
select *
from trained
union all by name
select *
from unpublished
union all by name
select
    'net_to_gross_ratio' as factor,
    cast(year as varchar) as period,
    * exclude (year)
from net_ratios
