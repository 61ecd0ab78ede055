-- Intensity after the operator's carbon-free energy, by every basis that the facts allow. One row per run and basis; none where
-- nothing is known of the operator's supply: unknown is not gross.
-- Hourly matching leaves what macro grid_residual says. Net never exceeds gross.
-- Annual matching is another basis and is not mixed in: see published_footprints.
with gross as (
    select
        candidates.run_id,
        candidates.value,
        candidates.intensity_basis,
        candidates.factor_year,
        candidates.source_title,
        candidates.source_url,
        candidates.source_locator,
        candidates.verified
    from core.gross_candidates as candidates
    inner join raw.method_bases as bases on bases.factor = 'gross_kg_per_kwh' and candidates.basis = bases.basis
    qualify row_number() over (partition by candidates.run_id order by bases.fallback_rank) = 1
),

hourly as (
    select
        runs.run_id,
        grid.operator_cfe_fraction,
        grid.grid_cfe_fraction,
        grid.factor_year,
        grid.source_title,
        grid.source_url,
        grid.source_locator,
        grid.verified
    from core.training_runs as runs
    inner join core.region_intensity as grid on runs.region = grid.region
    where
        runs.provider = 'Google'
        and runs.run_year is not null
        and grid.operator_cfe_fraction is not null
        and grid.grid_cfe_fraction < 1
    qualify row_number() over (
        partition by runs.run_id order by abs(grid.factor_year - runs.run_year), grid.factor_year
    ) = 1
)

select
    run_id,
    'disclosed' as basis,
    net_kg_per_kwh as value,
    'unspecified' as intensity_basis,
    0 as rounding_ln_gsd,
    run_year as factor_year,
    source_title,
    source_url,
    source_locator,
    verified
from core.training_runs
where net_kg_per_kwh is not null
union all
select
    hourly.run_id,
    'operator_hourly' as basis,
    gross.value * grid_residual(hourly.operator_cfe_fraction, hourly.grid_cfe_fraction) as value,
    gross.intensity_basis,
    cfe_rounding_ln_gsd(hourly.operator_cfe_fraction, hourly.grid_cfe_fraction) as rounding_ln_gsd,
    hourly.factor_year,
    hourly.source_title,
    hourly.source_url,
    hourly.source_locator,
    hourly.verified
from hourly
inner join gross on hourly.run_id = gross.run_id
