-- How much of the energy of whole runs is on each basis of the location, with and without the two bases of operators. One row
-- per basis. Energies are means, which add up.
with ranked as (
    select
        candidates.run_id,
        candidates.basis,
        method.fallback_rank,
        candidates.basis in ('provider_locations', 'provider_regions') as is_of_operator
    from core.gross_candidates as candidates
    inner join core.method as method on method.factor = 'gross_kg_per_kwh' and candidates.basis = method.basis
),

bases as (
    select
        ranked.run_id,
        any_value(emissions.energy_mwh_mean) as energy_mwh_mean,
        arg_min(ranked.basis, ranked.fallback_rank) filter (where not ranked.is_of_operator) as basis_before,
        arg_min(ranked.basis, ranked.fallback_rank) as basis_after
    from ranked
    inner join out.emissions as emissions on ranked.run_id = emissions.run_id
    where emissions.covers = 'one_run' and emissions.energy_shared_with is null
    group by ranked.run_id
),

sides as (
    select
        run_id,
        energy_mwh_mean,
        unnest([basis_before, basis_after]) as gross_basis,
        unnest([false, true]) as is_after
    from bases
),

total as (
    select sum(energy_mwh_mean order by run_id) as energy_mwh_mean
    from bases
)

select
    sides.gross_basis,
    count(*) filter (where not sides.is_after) as before_run_count,
    count(*) filter (where sides.is_after) as after_run_count,
    coalesce(sum(sides.energy_mwh_mean order by sides.run_id) filter (where not sides.is_after), 0)
    / any_value(total.energy_mwh_mean) as before_share_fraction,
    coalesce(sum(sides.energy_mwh_mean order by sides.run_id) filter (where sides.is_after), 0)
    / any_value(total.energy_mwh_mean) as after_share_fraction
from sides
cross join total
where sides.gross_basis is not null
group by sides.gross_basis
