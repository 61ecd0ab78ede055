-- How far estimates are from the truth when facts are held out. One row per quantity, what is held out, what is left out
-- of every fit, and estimator. Errors are fractions of the truth; the factor is the one by which half of the estimates are
-- nearer. Truths of one source err together: source_count says how many independent ones there are, at most. The interval
-- score (Gneiting and Raftery 2007) is that of ln(estimate / truth): less is better.
with errors as (
    select
        quantity,
        held_out,
        held_out_scope,
        estimator,
        truth_id,
        source_title,
        ln(estimate_to_truth_ratio) as log_ratio,
        estimate_to_truth_ratio - 1 as error_fraction,
        inside_interval,
        ln(p95 / p05) as ln_width,
        interval_score(p05, p95, truth_value) as interval_score
    from out.accuracy_runs
)

select
    quantity,
    held_out,
    held_out_scope,
    estimator,
    count(*) as n_observations,
    count(distinct source_title) as source_count,
    median(abs(error_fraction)) as median_error_fraction,
    avg(abs(error_fraction) order by truth_id) as mean_error_fraction,
    max(abs(error_fraction)) as max_error_fraction,
    exp(avg(log_ratio order by truth_id)) - 1 as bias_fraction,
    exp(median(abs(log_ratio))) as median_error_ratio,
    avg(inside_interval::integer) as coverage_fraction,
    exp(avg(ln_width order by truth_id)) as mean_interval_ratio,
    avg(interval_score order by truth_id) as mean_interval_score
from errors
group by quantity, held_out, held_out_scope, estimator
