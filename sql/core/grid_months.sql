-- How each month of a place's grid stood to its year. One row per location, month and basis.
-- Only zones that are the location's own grid: a part of it has another mix, and so other seasons.
with years as (
    select
        source,
        zone,
        year,
        'direct' as intensity_basis,
        carbon_intensity_direct_g_per_kwh as year_g_per_kwh,
        cast(direct_by_month as double[]) as means
    from raw.hourly_grid_years
    union all
    select
        source,
        zone,
        year,
        'lifecycle' as intensity_basis,
        carbon_intensity_lifecycle_g_per_kwh as year_g_per_kwh,
        cast(lifecycle_by_month as double[]) as means
    from raw.hourly_grid_years
),

months as (
    select
        source,
        zone,
        year,
        intensity_basis,
        year_g_per_kwh,
        unnest(means) as month_g_per_kwh,
        unnest(range(1, 13)) as month_number
    from years
    where year_g_per_kwh > 0
),

locations as (
    select
        regions.region as location_id,
        zones.zone,
        case zones.scheme when 'google_cloud' then 1 when 'us_egrid_subregion' then 2 else 3 end as distance
    from raw.regions as regions
    inner join raw.hourly_zones as zones
        on
            (zones.scheme = 'google_cloud' and regions.region = zones.region)
            or (zones.scheme = 'us_egrid_subregion' and regions.egrid_subregion = zones.region)
            or (zones.scheme = 'country' and regions.country = zones.region)
    where zones.coverage = 'same'
    union all
    select
        region as location_id,
        zone,
        3 as distance
    from raw.hourly_zones
    where scheme = 'country' and coverage = 'same'
)

select
    locations.location_id,
    format('{:04d}-{:02d}', months.year, months.month_number) as month,
    months.intensity_basis,
    months.source,
    months.zone,
    months.month_g_per_kwh,
    months.month_g_per_kwh / months.year_g_per_kwh as month_to_year_ratio
from months
inner join locations on months.zone = locations.zone
where months.month_g_per_kwh is not null
qualify row_number() over (
    partition by locations.location_id, months.year, months.month_number, months.intensity_basis
    order by locations.distance, months.source, months.zone
) = 1
