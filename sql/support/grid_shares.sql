-- The carbon-free share of the grid at each cloud region and country, of the nearest year. One row per location and year.
-- `ote estimate --cfe` needs it: a carbon-free share of an operator counts that of its grid.
with years as (
    select unnest(range(2009, 2029)) as year
),

shares as (
    select
        region as location_id,
        factor_year,
        grid_cfe_fraction
    from core.region_intensity
    where grid_cfe_fraction is not null
    union all
    select
        region as location_id,
        year as factor_year,
        cfe_fraction as grid_cfe_fraction
    from core.grid_intensity
    where scheme = 'country' and intensity_basis = 'lifecycle' and cfe_fraction is not null
)

select
    shares.location_id,
    years.year,
    shares.grid_cfe_fraction,
    shares.factor_year
from years
cross join shares
where shares.grid_cfe_fraction < 1
qualify
    row_number() over (
        partition by shares.location_id, years.year order by abs(shares.factor_year - years.year), shares.factor_year
    ) = 1
