-- The errors with another share of what all judgements of one person have in common: `judgement_fraction` of their variance
-- instead of the share in error_shares. The run's own error takes the rest, so each run keeps its interval.
with stated as (
    select max(share_fraction) as share_fraction
    from dataset.error_shares
    where error_source = 'judgement'
),

judged as (
    select
        loads.run_id,
        loads.factor,
        pow(loads.ln_gsd, 2) as shared_variance,
        pow(loads.ln_gsd, 2) / stated.share_fraction * getvariable('judgement_fraction') as wanted_variance
    from dataset.error_loads as loads
    cross join stated
    where loads.error_source = 'judgement'
)

select
    loads.run_id,
    loads.factor,
    loads.error_id,
    loads.error_source,
    case
        when judged.run_id is null then loads.ln_gsd
        when loads.error_source = 'judgement' then sqrt(judged.wanted_variance)
        when
            loads.error_source = 'own'
            then sqrt(greatest(0, pow(loads.ln_gsd, 2) + judged.shared_variance - judged.wanted_variance))
        else loads.ln_gsd
    end as ln_gsd
from dataset.error_loads as loads
left join judged on loads.run_id = judged.run_id and loads.factor = judged.factor
