-- Carbon intensity and carbon-free shares of every region that a run can name. One row per region and year. Google's
-- figure for a region comes first, else the eGRID subregion.
-- grid_cfe_fraction is the carbon-free share of the very grid that the intensity is of. It is published for eGRID subregions
-- and countries. Where Google's figure is of a smaller zone or another cut, what is not carbon-free is taken to emit alike:
-- 1 - share = (1 - share of the subregion or country) x intensity / its intensity.
with subregions as (
    select
        regions.region,
        grid.year as factor_year,
        grid.carbon_intensity_g_per_kwh,
        grid.intensity_basis,
        grid.cfe_fraction,
        grid.source_title,
        grid.source_url,
        grid.source_locator,
        grid.verified
    from raw.regions as regions
    inner join core.grid_intensity as grid
        on grid.scheme = 'us_egrid_subregion' and regions.egrid_subregion = grid.region
),

countries as (
    select
        regions.region,
        grid.year as factor_year,
        grid.carbon_intensity_g_per_kwh,
        grid.cfe_fraction,
        regions.grid_zone = regions.country as is_whole_country
    from raw.regions as regions
    inner join core.grid_intensity as grid
        on grid.scheme = 'country' and grid.intensity_basis = 'lifecycle' and regions.country = grid.region
),

operators as (
    select
        region,
        year as factor_year,
        carbon_intensity_g_per_kwh,
        intensity_basis,
        cfe_fraction,
        source_title,
        source_url,
        source_locator,
        verified
    from core.grid_intensity
    where scheme = 'google_cloud'
),

keys as (
    select
        region,
        factor_year
    from subregions
    union
    select
        region,
        factor_year
    from operators
),

-- The subregion's or else the country's share, of the nearest year that has one.
published_shares as (
    select
        keys.region,
        keys.factor_year,
        subregions.carbon_intensity_g_per_kwh,
        subregions.cfe_fraction,
        false as is_same_grid
    from keys
    inner join subregions on keys.region = subregions.region
    where subregions.cfe_fraction is not null
    qualify
        row_number() over (
            partition by keys.region, keys.factor_year
            order by abs(subregions.factor_year - keys.factor_year), subregions.factor_year
        ) = 1
    union all
    select
        keys.region,
        keys.factor_year,
        countries.carbon_intensity_g_per_kwh,
        countries.cfe_fraction,
        countries.is_whole_country as is_same_grid
    from keys
    inner join countries on keys.region = countries.region
    where countries.cfe_fraction is not null and keys.region not in (select subregions.region from subregions)
    qualify row_number() over (
        partition by keys.region, keys.factor_year
        order by abs(countries.factor_year - keys.factor_year), countries.factor_year
    ) = 1
)

select
    keys.region,
    keys.factor_year,
    coalesce(operators.carbon_intensity_g_per_kwh, subregions.carbon_intensity_g_per_kwh) as carbon_intensity_g_per_kwh,
    if(
        operators.carbon_intensity_g_per_kwh is null, subregions.intensity_basis, operators.intensity_basis
    ) as intensity_basis,
    operators.cfe_fraction as operator_cfe_fraction,
    if(
        shares.is_same_grid or operators.carbon_intensity_g_per_kwh is null,
        shares.cfe_fraction,
        greatest(
            0,
            1 - (1 - shares.cfe_fraction)
            * operators.carbon_intensity_g_per_kwh / nullif(shares.carbon_intensity_g_per_kwh, 0)
        )
    ) as grid_cfe_fraction,
    coalesce(operators.source_title, subregions.source_title) as source_title,
    coalesce(operators.source_url, subregions.source_url) as source_url,
    coalesce(operators.source_locator, subregions.source_locator) as source_locator,
    if(operators.source_url is null, subregions.verified, operators.verified) as verified
from keys
left join operators on keys.region = operators.region and keys.factor_year = operators.factor_year
left join subregions on keys.region = subregions.region and keys.factor_year = subregions.factor_year
left join published_shares as shares on keys.region = shares.region and keys.factor_year = shares.factor_year
