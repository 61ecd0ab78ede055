-- Every published energy or tonnage outside the 90 % interval of its estimate, with the cause. One row per published figure.
-- The causes were found by reading each source and stand in disagreement_causes.csv. A figure without one fails a check.
select
    agreement.run_id,
    agreement.quantity,
    agreement.basis,
    agreement.published_value,
    agreement.computed_value,
    agreement.p05,
    agreement.p95,
    agreement.ratio,
    causes.cause,
    causes.cause_reason,
    agreement.scope,
    agreement.derivation,
    agreement.source_id,
    agreement.source_title,
    agreement.source_url,
    agreement.source_locator
from out.agreement as agreement
left join raw.disagreement_causes as causes
    on
        agreement.run_id = causes.run_id
        and agreement.quantity = causes.quantity
        and agreement.basis = causes.basis
        and agreement.published_value = causes.published_value
where not agreement.inside_interval
