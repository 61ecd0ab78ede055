-- A model either has an estimate or a reason for having none.
select without_estimate.run_id
from out.models_without_estimate as without_estimate
inner join out.emissions as emissions on without_estimate.run_id = emissions.run_id
