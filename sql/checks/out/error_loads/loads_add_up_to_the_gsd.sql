-- If the errors of a factor do not add up to its uncertainty, a sum of runs is more or less sure than its runs.
with loads as (
    select
        run_id,
        factor,
        sum(pow(ln_gsd, 2)) as variance
    from out.error_loads
    where factor <> 'energy_mwh'
    group by run_id, factor
)

select
    factors.run_id,
    factors.factor,
    factors.gsd,
    loads.variance
from out.emission_factors as factors
inner join out.emissions as runs on factors.run_id = runs.run_id
left join loads on factors.run_id = loads.run_id and factors.factor = loads.factor
where
    factors.factor in ('chip_hours', 'watts_per_chip', 'pue', 'gross_kg_per_kwh')
    and (factors.factor = 'gross_kg_per_kwh' or runs.energy_basis = 'computed')
    and (loads.variance is null or abs(loads.variance - pow(ln(factors.gsd), 2)) > 1e-9)
