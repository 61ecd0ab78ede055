-- Carbon intensity and carbon-free share of grids. One row per scheme, region, year and basis. Curated figures come
-- first, and upstream sources add the others.
select
    scheme,
    region,
    location,
    country,
    year,
    cfe_fraction,
    cfe_basis,
    carbon_intensity_g_per_kwh,
    intensity_basis,
    gas,
    source_title,
    source_url,
    source_locator,
    verified
from raw.grid_intensity
union all
select
    upstream.scheme,
    upstream.region,
    upstream.location,
    upstream.country,
    upstream.year,
    least(upstream.cfe_fraction, 1) as cfe_fraction,
    upstream.cfe_basis,
    upstream.carbon_intensity_g_per_kwh,
    upstream.intensity_basis,
    upstream.gas,
    upstreams.title as source_title,
    upstreams.url as source_url,
    upstream.source_locator,
    if(upstream.source = 'owid_electricity', 'secondary', 'primary') as verified
from core.upstream_grids as upstream
inner join raw.upstreams as upstreams on upstream.source = upstreams.source
left join raw.grid_intensity as curated
    on
        upstream.scheme = curated.scheme
        and upstream.region = curated.region
        and upstream.year = curated.year
        and upstream.intensity_basis = curated.intensity_basis
where curated.region is null
