-- Life-cycle over direct intensity of a US grid: what a subregion's direct figure is multiplied by to stand beside the
-- life-cycle figures of countries. One row.
-- The ratio is fitted to the years of the whole country. Its uncertainty is that of the years, and how far the ratio of
-- single zones is from their common one; their hours have another set of factors, so only the spread counts.
with years as (
    select ln(lifecycle.carbon_intensity_g_per_kwh / direct.carbon_intensity_g_per_kwh) as ln_ratio
    from core.grid_intensity as lifecycle
    inner join core.grid_intensity as direct
        on
            direct.scheme = 'country'
            and direct.intensity_basis = 'direct'
            and lifecycle.region = direct.region
            and lifecycle.year = direct.year
    where lifecycle.scheme = 'country' and lifecycle.intensity_basis = 'lifecycle' and lifecycle.region = 'US'
),

zones as (
    select
        hours.zone,
        avg(ln(hours.weighted_lifecycle_g_per_kwh / hours.weighted_direct_g_per_kwh) order by hours.year) as ln_ratio
    from raw.hourly_grid_years as hours
    where
        hours.weighted_direct_g_per_kwh > 0
        and hours.zone in (
            select listed.zone
            from raw.hourly_zones as listed
            where listed.scheme = 'us_egrid_subregion'
        )
    group by hours.zone
),

fits as (
    select
        avg(years.ln_ratio order by years.ln_ratio) as ln_ratio,
        coalesce(var_samp(years.ln_ratio order by years.ln_ratio), 0) as year_variance,
        count(*) as n_years
    from years
),

spreads as (
    select
        coalesce(var_samp(ln_ratio order by ln_ratio), 0) as zone_variance,
        count(*) as n_zones
    from zones
)

select
    exp(fits.ln_ratio) as lifecycle_to_direct_ratio,
    if(
        least(fits.n_years, spreads.n_zones) >= 3,
        exp(sqrt(fits.year_variance + spreads.zone_variance) * student_widening(least(fits.n_years, spreads.n_zones))),
        null
    ) as fitted_gsd,
    fits.n_years + spreads.n_zones as n_observations
from fits
cross join spreads
where fits.ln_ratio is not null
