-- If the errors of a factor do not add up to its uncertainty, a sum of runs is more or less sure than its runs.
with loads as (
    select
        run_id,
        factor,
        sum(pow(ln_gsd, 2)) as variance
    from out.error_loads
    where factor <> 'energy_mwh'
    group by run_id, factor
),

factors as (
    select
        factors.run_id,
        factors.factor,
        factors.gsd
    from out.emission_factors as factors
    inner join out.emissions as runs on factors.run_id = runs.run_id
    where
        factors.factor = 'gross_kg_per_kwh'
        or (factors.factor in ('chip_hours', 'watts_per_chip', 'pue') and runs.energy_basis = 'computed')
    union all
    select
        grids.run_id,
        'lifecycle_kg_per_kwh' as factor,
        grids.gsd
    from core.grid_by_basis as grids
    inner join out.emissions as runs on grids.run_id = runs.run_id
    where grids.intensity_basis = 'lifecycle'
)

select
    factors.run_id,
    factors.factor,
    factors.gsd,
    loads.variance
from factors
left join loads on factors.run_id = loads.run_id and factors.factor = loads.factor
where loads.variance is null or abs(loads.variance - pow(ln(factors.gsd), 2)) > 1e-9
