-- A computed energy needs three factors, and its tonnes two more. If one is missing, the result cannot be traced.
select
    emissions.run_id,
    count(factors.factor) as factor_count
from out.emissions as emissions
left join out.emission_factors as factors on emissions.run_id = factors.run_id
where emissions.energy_basis = 'computed' and emissions.co2e_gross_t is not null
group by emissions.run_id
having count(factors.factor) <> 5
