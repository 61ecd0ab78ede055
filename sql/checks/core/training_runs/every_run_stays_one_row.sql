-- A join that multiplies or loses a run would count its energy twice or not at all.
select count(*) as resolved
from core.training_runs
having count(*) <> (select count(*) from raw.training_runs)
