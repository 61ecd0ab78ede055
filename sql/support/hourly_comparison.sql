-- The yearly mean of each zone's hours beside the yearly figures of others for the same year and basis.
-- One row per source, zone, year, basis and region. Direct stands against direct, lifecycle against lifecycle.
-- The explanation is put together from what the hours show (unknown fuel, gaps, blanks) and how the locations lie.
with means as (
    select
        source,
        zone,
        year,
        'direct' as intensity_basis,
        carbon_intensity_direct_g_per_kwh as hourly_mean_g_per_kwh,
        weighted_direct_g_per_kwh as weighted_mean_g_per_kwh,
        direct_gap_g_per_kwh as mix_gap_g_per_kwh,
        575 as unknown_g_per_kwh, -- CarbonCast's; EIA-930 has no direct intensity
        0 as biomass_g_per_kwh,
        unknown_fraction,
        biomass_fraction,
        observed_hours,
        missing_hours + blank_hours as absent_hours,
        low_generation_hours,
        lifecycle_below_direct_hours
    from raw.hourly_grid_years
    union all
    select
        source,
        zone,
        year,
        'lifecycle' as intensity_basis,
        carbon_intensity_lifecycle_g_per_kwh as hourly_mean_g_per_kwh,
        weighted_lifecycle_g_per_kwh as weighted_mean_g_per_kwh,
        lifecycle_gap_g_per_kwh as mix_gap_g_per_kwh,
        if(source = 'eia930_hourly', 230, 700) as unknown_g_per_kwh,
        230 as biomass_g_per_kwh,
        unknown_fraction,
        biomass_fraction,
        observed_hours,
        missing_hours + blank_hours as absent_hours,
        low_generation_hours,
        lifecycle_below_direct_hours
    from raw.hourly_grid_years
)

select
    means.source,
    means.zone,
    means.year,
    means.intensity_basis,
    means.hourly_mean_g_per_kwh,
    means.weighted_mean_g_per_kwh,
    grid.carbon_intensity_g_per_kwh as yearly_g_per_kwh,
    zones.scheme,
    zones.region,
    zones.coverage,
    means.hourly_mean_g_per_kwh / nullif(grid.carbon_intensity_g_per_kwh, 0) as hourly_to_yearly_ratio,
    concat_ws(
        '; ',
        case zones.coverage
            when 'same' then 'the zone is the grid of the region'
            when 'part_of' then 'the zone is only a part of the region'
            when 'contains' then 'the region is only a part of the zone'
            else 'zone and region only overlap'
        end,
        'the hours count generation in the zone, without imports, at one factor per fuel',
        if(zones.scheme = 'us_egrid_subregion', 'eGRID counts the emissions of each plant', null),
        if(
            means.unknown_fraction >= 0.01,
            format(
                '{:.1f} % of generation is of unknown fuel, at {} g/kWh by the factors of the source',
                means.unknown_fraction * 100, -- percent
                means.unknown_g_per_kwh
            ),
            null
        ),
        if(
            means.biomass_fraction >= 0.01,
            format('{:.1f} % is biomass, at {} g/kWh', means.biomass_fraction * 100, means.biomass_g_per_kwh), -- percent
            null
        ),
        if(
            abs(means.mix_gap_g_per_kwh) >= 0.5,
            format(
                'the source states {:.1f} g/kWh {} than its own mix and factors give',
                abs(means.mix_gap_g_per_kwh),
                if(means.mix_gap_g_per_kwh < 0, 'less', 'more')
            ),
            null
        ),
        if(
            means.lifecycle_below_direct_hours > 0,
            format(
                'the source has lifecycle below direct in {} of {} hours, which cannot be',
                means.lifecycle_below_direct_hours,
                means.observed_hours
            ),
            null
        ),
        if(
            abs(means.weighted_mean_g_per_kwh / nullif(means.hourly_mean_g_per_kwh, 0) - 1) >= 0.01,
            format('weighted by generation, as yearly figures are, the mean is {:.1f} g/kWh', means.weighted_mean_g_per_kwh),
            null
        ),
        if(means.absent_hours > 0, format('{} hours are missing or blank', means.absent_hours), null),
        if(
            means.low_generation_hours > 0,
            format('{} hours hold less than a tenth of the usual generation', means.low_generation_hours),
            null
        )
    ) as explanation,
    source_id(grid.source_url) as source_id,
    grid.source_title,
    grid.source_url,
    grid.source_locator,
    grid.verified
from means
inner join raw.hourly_zones as zones on means.zone = zones.zone
inner join core.grid_intensity as grid
    on
        zones.scheme = grid.scheme
        and zones.region = grid.region
        and means.year = grid.year
        and means.intensity_basis = grid.intensity_basis
where means.hourly_mean_g_per_kwh is not null and grid.carbon_intensity_g_per_kwh is not null
