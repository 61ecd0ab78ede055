-- Intensity after the operator's carbon-free energy, by every basis that the facts allow. One row per run and basis; none where
-- nothing is known of the operator's supply: unknown is not gross.
-- It is gross x what core.region_supply says for the region of the run. Where only the operator is known, and it publishes its
-- supply at every location that the run may have used, it is the mean over these locations, with the weights of gross.
-- Annual matching is another quantity: see co2e_market_t in the table emissions.
with gross as (
    select
        candidates.run_id,
        candidates.basis,
        candidates.value,
        candidates.intensity_basis
    from core.gross_candidates as candidates
    inner join raw.method_bases as bases on bases.factor = 'gross_kg_per_kwh' and candidates.basis = bases.basis
    qualify row_number() over (partition by candidates.run_id order by bases.fallback_rank) = 1
),

hourly as (
    select
        runs.run_id,
        runs.run_year,
        supply.*
    from core.training_runs as runs
    inner join core.region_supply as supply on runs.region = supply.region and runs.provider = supply.provider
    where runs.run_year is not null
    qualify row_number() over (
        partition by runs.run_id order by abs(supply.factor_year - runs.run_year), supply.factor_year
    ) = 1
)

select
    run_id,
    'disclosed' as basis,
    net_kg_per_kwh as value,
    'unspecified' as intensity_basis,
    0 as supplied_fraction,
    0 as rounding_ln_gsd,
    0 as mix_ln_variance,
    0 as apart_years,
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
    gross.value * hourly.net_to_gross_ratio as value,
    gross.intensity_basis,
    1 - hourly.residual_fraction as supplied_fraction,
    hourly.rounding_ln_gsd,
    0 as mix_ln_variance,
    abs(hourly.factor_year - hourly.run_year) as apart_years,
    hourly.factor_year,
    hourly.source_title,
    hourly.source_url,
    hourly.source_locator,
    hourly.verified
from hourly
inner join gross on hourly.run_id = gross.run_id
union all
select
    mixes.run_id,
    'operator_locations' as basis,
    mixes.value,
    gross.intensity_basis,
    mixes.supplied_fraction,
    mixes.rounding_ln_gsd,
    mixes.mix_ln_variance,
    mixes.apart_years,
    mixes.factor_year,
    mixes.source_title,
    mixes.source_url,
    mixes.source_locator,
    mixes.verified
from core.location_nets as mixes
inner join gross on mixes.run_id = gross.run_id and mixes.gross_basis = gross.basis -- so net is of the same locations as gross
