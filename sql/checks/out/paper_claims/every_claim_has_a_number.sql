-- A claim without a computed figure could not be checked.
select claim_id
from out.paper_claims
where computed_low is null or computed_high is null or computed_low > computed_high
