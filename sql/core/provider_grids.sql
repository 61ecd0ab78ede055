-- Carbon intensity of an operator whose region is not known: the mix of its cloud regions. One row per operator and
-- year.
-- Each region counts once, because capacities are not known, with the lifecycle figure of its country, which every
-- region has. region_gsd is the gsd of these figures. Only years in which every region has a figure.
with regions as (
    select
        region,
        provider,
        country,
        count(*) over (partition by provider) as provider_region_count
    from raw.regions
    where not starts_with(region, 'site:')
)

select
    regions.provider,
    grid.year as factor_year,
    exp(avg(ln(grid.carbon_intensity_g_per_kwh) order by regions.region)) as carbon_intensity_g_per_kwh,
    exp(stddev_pop(ln(grid.carbon_intensity_g_per_kwh) order by regions.region)) as region_gsd,
    count(*) as region_count,
    min(grid.intensity_basis) as intensity_basis,
    first_source(grid.source_title, grid.source_url, null)[1] as source_title,
    first_source(grid.source_title, grid.source_url, null)[2] as source_url,
    'geometric mean over the ' || count(*) || ' cloud regions of the operator, each at the figure of its country, '
    || grid.year || '; the source named is the first of theirs' as source_locator,
    least_verified(grid.verified) as verified
from regions
inner join core.grid_intensity as grid
    on grid.scheme = 'country' and grid.intensity_basis = 'lifecycle' and regions.country = grid.region
where grid.carbon_intensity_g_per_kwh > 0
group by regions.provider, grid.year
having count(*) = any_value(regions.provider_region_count) and count(*) >= 3
