-- What is known of a run's location without the run's own source. One row per run, factor and basis.
-- Only where that basis of the fallback order rests on the run's own source: a paper that states the tonnes of a run may be the
-- source of its site's PUE and grid as well, and must not score itself. Without a quarter of its own, the year stands in.
with pues as (
    select
        runs.run_id,
        cast(left(locations.period, 4) as integer) as factor_year,
        avg(locations.pue order by locations.pue) as value
    from core.training_runs as runs
    inner join core.datacenter_pue as locations
        on runs.provider = locations.provider and runs.region in ('site:' || locations.site, locations.cloud_region)
    where locations.pue_basis not in ('design', 'claimed') and locations.source_url <> runs.source_url
    group by runs.run_id, runs.run_year, factor_year, locations.pue_basis
    qualify row_number() over (
        partition by runs.run_id
        order by abs(factor_year - runs.run_year), factor_year, locations.pue_basis = 'quarterly', locations.pue_basis
    ) = 1
),

grids as (
    select
        runs.run_id,
        grid.year as factor_year,
        grid.carbon_intensity_g_per_kwh / 1000 as value -- g to kg
    from core.training_runs as runs
    inner join raw.regions as regions on runs.region = regions.region
    inner join core.grid_intensity as grid
        on
            (grid.scheme = 'google_cloud' and runs.region = grid.region)
            or (grid.scheme = 'us_egrid_subregion' and regions.egrid_subregion = grid.region)
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

-- The bases that rest on the run's own source.
own as (
    select
        candidates.run_id,
        'pue' as factor,
        candidates.basis
    from core.pue_candidates as candidates
    inner join core.training_runs as runs on candidates.run_id = runs.run_id and candidates.source_url = runs.source_url
    where candidates.basis = 'site_year'
    union all
    select
        candidates.run_id,
        'gross_kg_per_kwh' as factor,
        candidates.basis
    from core.gross_candidates as candidates
    inner join core.training_runs as runs on candidates.run_id = runs.run_id and candidates.source_url = runs.source_url
    where candidates.basis = 'region_year'
)

select
    known.run_id,
    known.factor,
    known.basis,
    known.value,
    known.factor_year
from known
inner join own on known.run_id = own.run_id and known.factor = own.factor and known.basis = own.basis
