-- Operators of the data centers that a run may have used. One row per run and operator.
select
    run_id,
    provider,
    provider_basis,
    location_id
from core.run_providers
