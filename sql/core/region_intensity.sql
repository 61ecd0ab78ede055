-- Grid intensity and carbon-free shares of every region that a run can name, by year. One row per region and year.
-- Google's figure for a region comes first, else the eGRID subregion that the region lies in.
with subregions as (
    select
        region_map.region,
        grid.year as factor_year,
        grid.carbon_intensity_g_per_kwh,
        grid.intensity_basis,
        grid.cfe_fraction,
        grid.source_title,
        grid.source_url,
        grid.source_locator,
        grid.verified
    from raw.region_map as region_map
    inner join core.grid_intensity as grid
        on grid.scheme = 'us_egrid_subregion' and region_map.egrid_subregion = grid.region
),

countries as (
    select
        region_map.region,
        grid.year as factor_year,
        grid.cfe_fraction
    from raw.region_map as region_map
    inner join core.grid_intensity as grid
        on grid.scheme = 'country' and grid.intensity_basis = 'lifecycle' and region_map.country = grid.region
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
)

select
    keys.region,
    keys.factor_year,
    coalesce(operators.carbon_intensity_g_per_kwh, subregions.carbon_intensity_g_per_kwh) as carbon_intensity_g_per_kwh,
    if(
        operators.carbon_intensity_g_per_kwh is null, subregions.intensity_basis, operators.intensity_basis
    ) as intensity_basis,
    operators.cfe_fraction as operator_cfe_fraction,
    coalesce(subregions.cfe_fraction, countries.cfe_fraction) as grid_cfe_fraction,
    coalesce(operators.source_title, subregions.source_title) as source_title,
    coalesce(operators.source_url, subregions.source_url) as source_url,
    coalesce(operators.source_locator, subregions.source_locator) as source_locator,
    if(operators.source_url is null, subregions.verified, operators.verified) as verified
from keys
left join operators on keys.region = operators.region and keys.factor_year = operators.factor_year
left join subregions on keys.region = subregions.region and keys.factor_year = subregions.factor_year
left join countries on keys.region = countries.region and keys.factor_year = countries.factor_year
