-- Epoch AI estimates the hours of models whose developers published nothing. Such hours must not get the small
-- uncertainty of published hours.
select
    factors.run_id,
    factors.basis,
    runs.hours_confidence
from out.emission_factors as factors
inner join core.training_runs as runs on factors.run_id = runs.run_id
where
    factors.factor = 'chip_hours'
    and factors.basis in ('disclosed', 'chips_x_hours')
    and runs.hours_confidence is not null
