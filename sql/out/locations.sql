-- What training would emit per kWh at every known cloud region and year. One row per region and year from 2019 on.
-- PUE is that of the site, else of the operator's fleet, else of the industry; the grid that of the region, else of its
-- country. Net follows the operator's hourly-matched share, of the nearest year that has one, as in core.net_candidates;
-- where none is published it is gross.
-- The uncertainty is that of the location alone: it decides how sure a ranking of locations is, whatever the run.
with regions as (
    select
        region,
        provider,
        country
    from raw.regions
    where not starts_with(region, 'site:')
),

grids as (
    select
        regions.region,
        regions.provider,
        regions.country,
        'region_year' as gross_basis,
        grid.factor_year,
        grid.carbon_intensity_g_per_kwh,
        grid.intensity_basis,
        grid.source_title,
        grid.source_url,
        grid.source_locator
    from regions
    inner join core.region_intensity as grid on regions.region = grid.region
    where grid.carbon_intensity_g_per_kwh is not null
    union all
    select
        regions.region,
        regions.provider,
        regions.country,
        'country_year' as gross_basis,
        grid.year as factor_year,
        grid.carbon_intensity_g_per_kwh,
        grid.intensity_basis,
        grid.source_title,
        grid.source_url,
        grid.source_locator
    from regions
    inner join core.grid_intensity as grid
        on grid.scheme = 'country' and grid.intensity_basis = 'lifecycle' and regions.country = grid.region
    where
        grid.carbon_intensity_g_per_kwh is not null
        and regions.region not in (select covered.region from core.region_intensity as covered)
),

pues as (
    select
        grids.region,
        grids.factor_year,
        years.pue,
        case
            when grids.region = years.region then 'site_year'
            when grids.provider = years.provider then 'provider_year'
            else 'industry_year'
        end as pue_basis
    from grids
    inner join core.pue_years as years
        on
            years.quarter is null
            and (
                (grids.provider = years.provider and (grids.region = years.region or years.is_average))
                or years.provider = 'Industry average (Uptime Institute)'
            )
    qualify
        row_number() over (
            partition by grids.region, grids.factor_year
            order by
                years.provider <> grids.provider asc,
                years.is_average asc,
                abs(years.factor_year - grids.factor_year) asc,
                years.factor_year asc
        ) = 1
),

supplies as (
    select
        grids.region,
        grids.factor_year,
        supply.operator_cfe_fraction,
        supply.grid_cfe_fraction
    from grids
    inner join core.region_intensity as supply on grids.region = supply.region
    where grids.provider = 'Google' and supply.operator_cfe_fraction is not null and supply.grid_cfe_fraction < 1
    qualify row_number() over (
        partition by grids.region, grids.factor_year
        order by abs(supply.factor_year - grids.factor_year), supply.factor_year
    ) = 1
),

gsds as (
    select
        factor,
        basis,
        ln(gsd) as ln_gsd
    from core.method
)

select
    grids.region,
    grids.factor_year,
    grids.provider,
    grids.country,
    pues.pue,
    pues.pue_basis,
    grids.carbon_intensity_g_per_kwh / 1000 as gross_kg_per_kwh, -- g to kg
    grids.gross_basis,
    grids.intensity_basis,
    gross_kg_per_kwh * grid_residual(supplies.operator_cfe_fraction, supplies.grid_cfe_fraction) as net_kg_per_kwh,
    if(supplies.region is null, null, 'operator_hourly') as net_basis,
    exp(sqrt(pow(pue_like_ln_gsd(pues.pue, pue_ratio.ln_gsd), 2) + pow(gross_ratio.ln_gsd, 2))) as gross_gsd,
    exp(
        sqrt(
            pow(pue_like_ln_gsd(pues.pue, pue_ratio.ln_gsd), 2)
            + pow(gross_ratio.ln_gsd, 2)
            + pow(net_ratio.ln_gsd, 2)
            + pow(cfe_rounding_ln_gsd(supplies.operator_cfe_fraction, supplies.grid_cfe_fraction), 2)
        )
    ) as net_gsd,
    source_id(grids.source_url) as source_id,
    grids.source_title,
    grids.source_url,
    grids.source_locator
from grids
inner join pues on grids.region = pues.region and grids.factor_year = pues.factor_year
left join supplies on grids.region = supplies.region and grids.factor_year = supplies.factor_year
inner join gsds as pue_ratio on pue_ratio.factor = 'pue' and pues.pue_basis = pue_ratio.basis
inner join gsds as gross_ratio on gross_ratio.factor = 'gross_kg_per_kwh' and grids.gross_basis = gross_ratio.basis
left join gsds as net_ratio
    on net_ratio.factor = 'net_kg_per_kwh' and net_ratio.basis = 'operator_hourly' and supplies.region is not null
where grids.factor_year >= 2019
