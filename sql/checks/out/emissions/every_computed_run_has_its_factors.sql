-- A computed energy rests on three factors and its tonnes on a fourth; with one missing, the row cannot be walked back.
select
    emissions.run_id,
    count(factors.factor) as factor_count
from out.emissions as emissions
left join out.emission_factors as factors
    on emissions.run_id = factors.run_id and factors.factor <> 'net_kg_per_kwh' -- not known of most operators
where emissions.energy_basis = 'computed' and emissions.co2e_gross_t is not null
group by emissions.run_id
having count(factors.factor) <> 4
