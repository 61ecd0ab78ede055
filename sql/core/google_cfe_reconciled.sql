-- Google's carbon-free share by Google and by the Green Software Foundation. One row per region and year.
-- Google's own value always counts; the verdict says how the other's row came to differ.
with own as (
    select
        region,
        year,
        location,
        cfe_fraction as google_cfe_fraction
    from raw.google_region_carbon
),

gsf as (
    select
        region,
        year,
        location,
        grid_zone,
        provider_cfe_hourly_fraction as gsf_cfe_hourly_fraction,
        provider_cfe_annual_fraction as gsf_cfe_annual_fraction
    from raw.gsf_cloud_regions
    where provider = 'Google Cloud'
),

-- A region does not move: the zone that most years give it is its own.
zones as (
    select
        region,
        mode(grid_zone) as usual_zone
    from gsf
    group by region
    having count(distinct year) > 2
),

paired as (
    select
        coalesce(own.region, gsf.region) as region,
        coalesce(own.year, gsf.year) as year,
        coalesce(own.location, gsf.location) as location,
        own.google_cfe_fraction,
        gsf.gsf_cfe_hourly_fraction,
        gsf.gsf_cfe_annual_fraction,
        own.region is null as is_missing_here,
        gsf.region is null as is_missing_there,
        coalesce(gsf.grid_zone <> zones.usual_zone, false) as is_other_zone,
        gsf.grid_zone,
        zones.usual_zone
    from own
    full outer join gsf on own.region = gsf.region and own.year = gsf.year
    left join zones on gsf.region = zones.region
),

judged as (
    select
        *,
        case
            when is_missing_here then 'missing_here'
            when is_missing_there then 'missing_there'
            when google_cfe_fraction is null and gsf_cfe_hourly_fraction = 0 then 'zero_for_blank'
            when is_other_zone then 'shifted_row'
            when google_cfe_fraction = gsf_cfe_hourly_fraction then 'equal'
            when google_cfe_fraction is null and gsf_cfe_hourly_fraction is null then 'equal'
            when google_cfe_fraction = gsf_cfe_annual_fraction then 'columns_swapped'
            -- Half a percentage point: either side is published in whole percent.
            when abs(google_cfe_fraction - gsf_cfe_hourly_fraction) <= 0.005 then 'rounded'
            else 'different'
        end as verdict
    from paired
)

select
    region,
    year,
    location,
    google_cfe_fraction,
    gsf_cfe_hourly_fraction,
    gsf_cfe_annual_fraction,
    google_cfe_fraction as cfe_fraction,
    verdict,
    is_other_zone,
    concat(
        case verdict
            when 'missing_here' then 'Google has no such region in that year.'
            when 'missing_there' then 'The Green Software Foundation has no such region in that year.'
            when 'zero_for_blank' then 'Google published no share; the other file has 0 for it.'
            when 'shifted_row' then 'The row is filled with the grid of another place.'
            when 'equal' then 'Both have the same share.'
            when 'columns_swapped' then 'The hourly-matched share stands in the annual column.'
            when 'rounded' then 'The two differ by rounding.'
            else 'The two differ, and nothing known explains it.'
        end,
        if(is_other_zone, concat(' Its zone is ', grid_zone, ', that of the region is ', usual_zone, '.'), '')
    ) as verdict_reason
from judged
