-- A factor of another year may be used, but must be marked. It was the whole error of a popular tracker on T5.
select
    factors.run_id,
    factors.factor,
    factors.factor_year,
    runs.run_year
from out.emission_factors as factors
inner join core.training_runs as runs on factors.run_id = runs.run_id
where factors.factor_year <> runs.run_year and factors.is_other_year is distinct from true
