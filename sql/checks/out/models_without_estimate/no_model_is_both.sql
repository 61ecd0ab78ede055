-- A model has either an estimate, or a reason why it has none.
select without_estimate.run_id
from out.models_without_estimate as without_estimate
inner join out.emissions as emissions on without_estimate.run_id = emissions.run_id
