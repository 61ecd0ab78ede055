-- Market-based intensity at an operator, a site, a grid region or a country, by year. One row per location and year in which a
-- run may ask for it. Contracts are of one year: the figure of the year before or after is used, none from further away.
-- A cloud operator that does not publish its contracts has rows without an intensity: it buys certificates, nobody knows how
-- many, so the residual mix of its grids would be wrong. A site with its own power plants has none from their first year on: an
-- unknown part of its electricity is not bought.
with years as (
    select unnest(range(2009, 2029)) as year
),

clouds as (
    select distinct provider
    from raw.regions
    where not starts_with(region, 'site:')
),

operators as (
    select provider
    from clouds
    union
    select provider
    from raw.market_intensities
    where provider is not null
),

locations as (
    select
        provider as location_id,
        'operator_contracts' as market_basis,
        provider as figure_of
    from operators
    union all
    select
        region as location_id,
        'residual_mix' as market_basis,
        coalesce(egrid_subregion, country) as figure_of
    from raw.regions
    where provider not in (select operators.provider from operators)
    union all
    select distinct
        grid_region as location_id,
        'residual_mix' as market_basis,
        grid_region as figure_of
    from raw.market_intensities
    where length(grid_region) = 2 -- a country; subregions of eGRID have four letters
)

select
    locations.location_id,
    years.year,
    locations.market_basis,
    figures.market_kg_per_kwh,
    figures.year as market_year,
    source_id(figures.source_url) as source_id,
    figures.source_title,
    figures.source_url,
    figures.source_locator,
    figures.verified
from locations
cross join years
left join raw.onsite_generation as plants
    on locations.location_id = 'site:' || plants.site and years.year >= plants.from_year
left join raw.market_intensities as figures
    on
        locations.market_basis = figures.market_kind
        and locations.figure_of = coalesce(figures.provider, figures.grid_region)
        and figures.year between years.year - 1 and years.year + 1
where
    plants.site is null
    and (figures.year is not null or locations.market_basis = 'operator_contracts')
qualify
    row_number() over (
        partition by locations.location_id, years.year order by abs(figures.year - years.year), figures.year
    ) = 1
