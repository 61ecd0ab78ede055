-- A later value without cases, or with cases that do not agree with the number of its groups, could not be checked.
select
    claims.claim_id,
    claims.later_groups_count,
    count(distinct evidence.case_group) as case_groups
from out.paper_claims as claims
left join out.paper_claim_evidence as evidence on claims.claim_id = evidence.claim_id and evidence.is_counted
where claims.later_ratio is not null and claims.claim_id <> 'all-together'
group by claims.claim_id, claims.later_groups_count
having count(distinct evidence.case_group) <> claims.later_groups_count
