-- What training would emit per kWh at every known cloud region and year. One row per region and year from 2019 on.
-- PUE is that of the site, else of the operator's fleet, else of an operator that publishes none; the grid that of the region,
-- else of its country. Net follows the operator's hourly-matched supply, of the nearest year that has one; where none is
-- published it is null. All are those of support.location_factors, as a run in the region gets them in that year.
-- The uncertainty is that of the location alone: it decides how sure a ranking of locations is, whatever the run.
with regions as (
    select
        region,
        provider,
        country
    from raw.regions
    where not starts_with(region, 'site:')
),

factors as (
    select
        factor,
        location_id,
        basis,
        cast(period as integer) as year,
        value,
        gsd,
        intensity_basis,
        factor_year,
        source_title,
        source_url,
        source_locator
    from support.location_factors
    where basis <> 'site_quarter'
),

grids as (
    select
        regions.region,
        regions.provider,
        regions.country,
        factors.basis as gross_basis,
        factors.factor_year,
        factors.value as gross_kg_per_kwh,
        factors.intensity_basis,
        factors.source_title,
        factors.source_url,
        factors.source_locator
    from regions
    inner join factors
        on
            factors.factor = 'gross_kg_per_kwh'
            and factors.location_id in (regions.region, regions.country)
            and factors.year = factors.factor_year
    qualify rank() over (partition by regions.region order by factors.basis = 'country_year') = 1
),

pues as (
    select
        grids.region,
        grids.factor_year,
        factors.value as pue,
        factors.basis as pue_basis,
        factors.gsd as pue_gsd
    from grids
    inner join factors
        on
            factors.factor = 'pue'
            and factors.location_id in (grids.region, grids.provider, 'UNPUBLISHED', 'WORLD')
            and grids.factor_year = factors.year
    qualify row_number() over (
        partition by grids.region, grids.factor_year
        order by list_position([grids.region, grids.provider, 'UNPUBLISHED', 'WORLD'], factors.location_id)
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
    pues.pue_gsd,
    grids.gross_kg_per_kwh,
    grids.gross_basis,
    grids.intensity_basis,
    grids.gross_kg_per_kwh * supplies.value as net_kg_per_kwh,
    supplies.basis as net_basis,
    exp(sqrt(pow(pue_like_ln_gsd(pues.pue, ln(pues.pue_gsd)), 2) + pow(gross_ratio.ln_gsd, 2))) as gross_gsd,
    exp(
        sqrt(
            pow(pue_like_ln_gsd(pues.pue, ln(pues.pue_gsd)), 2)
            + pow(gross_ratio.ln_gsd, 2)
            + pow(ln(supplies.gsd), 2)
        )
    ) as net_gsd,
    source_id(grids.source_url) as source_id,
    grids.source_title,
    grids.source_url,
    grids.source_locator
from grids
inner join pues on grids.region = pues.region and grids.factor_year = pues.factor_year
left join factors as supplies
    on
        supplies.factor = 'net_to_gross_ratio'
        and grids.region = supplies.location_id
        and grids.factor_year = supplies.year
inner join gsds as gross_ratio on gross_ratio.factor = 'gross_kg_per_kwh' and grids.gross_basis = gross_ratio.basis
where grids.factor_year >= 2019
