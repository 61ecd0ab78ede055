-- Fitted gsd of the bases of grid intensity (gross). One row per basis.
-- Regions that no source names are no surer than those that one does.
with provider_regions as (
    select
        no_less(every.fitted_gsd, named.fitted_gsd) as fitted_gsd,
        every.n_observations
    from core.location_fits as every
    left join core.location_fits as named on every.factor = named.factor and named.basis = 'provider_locations'
    where every.factor = 'gross_kg_per_kwh' and every.basis = 'provider_regions'
),

region_year as (
    select
        gsd_of(ln(months.carbon_intensity_g_per_kwh / years.carbon_intensity_g_per_kwh)) as fitted_gsd,
        count(*) as n_observations
    from raw.grid_intensity as months
    inner join raw.regions as regions on months.region = regions.region
    inner join raw.grid_intensity as years
        on
            years.scheme = 'us_egrid_subregion'
            and regions.egrid_subregion = years.region
            and months.year = years.year
    where months.scheme = 'google_cloud' and starts_with(months.region, 'site:')
),

within_country as (
    select gsd_of(ln(subregions.carbon_intensity_g_per_kwh / nation.carbon_intensity_g_per_kwh)) as fitted_gsd
    from raw.grid_intensity as subregions
    inner join raw.grid_intensity as nation
        on subregions.scheme = nation.scheme and subregions.year = nation.year
    where subregions.scheme = 'us_egrid_subregion' and subregions.region <> 'US' and nation.region = 'US'
),

world_year as (
    select
        exp(
            sqrt(
                avg(pow(ln(country.value / world.value), 2) order by country.run_id)
                + pow(ln(any_value(within_country.fitted_gsd)), 2)
            )
        ) as fitted_gsd,
        count(*) as n_observations
    from core.gross_candidates as country
    inner join core.gross_candidates as world on country.run_id = world.run_id and world.basis = 'world_year'
    cross join within_country
    where country.basis = 'country_year'
)

select
    'gross_kg_per_kwh' as factor,
    unnest(['region_month', 'region_year']) as basis, -- no run with a known month tells how much the month narrows it
    fitted_gsd,
    n_observations
from region_year
union all
select
    'gross_kg_per_kwh' as factor,
    'country_month' as basis,
    fitted_gsd,
    n_observations
from core.location_fits
where factor = 'gross_kg_per_kwh' and basis = 'country_year'
union all
select
    'gross_kg_per_kwh' as factor,
    'world_year' as basis,
    fitted_gsd,
    n_observations
from world_year
union all
select
    'gross_kg_per_kwh' as factor,
    'provider_regions' as basis,
    fitted_gsd,
    n_observations
from provider_regions
union all
select
    'gross_kg_per_kwh' as factor,
    'direct_to_lifecycle' as basis,
    fitted_gsd,
    n_observations
from core.lifecycle_ratio
