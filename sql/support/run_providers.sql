-- Operators of the data centers that a run may have used. One row per run and operator.
select *
from core.run_providers
