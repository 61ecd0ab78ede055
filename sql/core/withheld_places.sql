-- What is known of a run's place without the run's own source. One row per run, factor and rung.
-- Only where that rung of the ladder rests on the run's own source: a paper that states the tonnes of a run may be the
-- source of its site's PUE and grid as well, and must not score itself. Without a quarter of its own, the year stands in.
with pues as (
    select
        runs.run_id,
        cast(left(places.period, 4) as integer) as factor_year,
        avg(places.pue order by places.pue) as value
    from core.training_runs as runs
    inner join core.datacenter_pue as places
        on runs.provider = places.provider and runs.region in ('site:' || places.site, places.cloud_region)
    where places.pue_basis <> 'design' and places.source_url <> runs.source_url
    group by runs.run_id, runs.run_year, factor_year, places.pue_basis
    qualify row_number() over (
        partition by runs.run_id
        order by abs(factor_year - runs.run_year), factor_year, places.pue_basis = 'quarterly', places.pue_basis
    ) = 1
),

grids as (
    select
        runs.run_id,
        grid.year as factor_year,
        grid.carbon_intensity_g_per_kwh / 1000 as value -- g to kg
    from core.training_runs as runs
    inner join raw.region_map as region_map on runs.region = region_map.region
    inner join core.grid_intensity as grid
        on
            (grid.scheme = 'google_cloud' and runs.region = grid.region)
            or (grid.scheme = 'us_egrid_subregion' and region_map.egrid_subregion = grid.region)
    where grid.carbon_intensity_g_per_kwh is not null and grid.source_url <> runs.source_url
    qualify row_number() over (
        partition by runs.run_id order by abs(grid.year - runs.run_year), grid.year, grid.scheme
    ) = 1
),

known as (
    select
        run_id,
        'pue' as factor,
        'site_year' as basis,
        value,
        factor_year
    from pues
    union all
    select
        run_id,
        'gross_kg_per_kwh' as factor,
        'region_year' as basis,
        value,
        factor_year
    from grids
),

-- The rungs that rest on the run's own source.
own as (
    select
        ladder.run_id,
        'pue' as factor,
        ladder.basis
    from core.pue_ladder as ladder
    inner join core.training_runs as runs on ladder.run_id = runs.run_id and ladder.source_url = runs.source_url
    where ladder.basis = 'site_year'
    union all
    select
        ladder.run_id,
        'gross_kg_per_kwh' as factor,
        ladder.basis
    from core.gross_ladder as ladder
    inner join core.training_runs as runs on ladder.run_id = runs.run_id and ladder.source_url = runs.source_url
    where ladder.basis = 'region_year'
)

select
    known.run_id,
    known.factor,
    known.basis,
    known.value,
    known.factor_year
from known
inner join own on known.run_id = own.run_id and known.factor = own.factor and known.basis = own.basis
