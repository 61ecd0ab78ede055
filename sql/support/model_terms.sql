-- Terms that an estimator could have, and what each does to its errors. One row per factor, term and what is left out.
-- Errors are held out: of the estimate without and with the term, on the same observations, those whose feature is known.
-- A term is used where it is clearly better, with the run left out and with its developer: less is chance. The curated facts
-- alone have a slope for chips that lowers the mean error by a twentieth; with all sources it has the other sign.
-- One that is clearly better and not used is reported by `ote build` and fails a test; who takes one up says so in the list.
with terms (factor, term, is_used) as (
    values
    ('chip_hours', 'run_year', false),
    ('chip_hours', 'chips', false),
    ('chip_hours', 'domain', false),
    ('chip_hours', 'number_format', false),
    ('chip_hours', 'number_format_peak', false),
    ('watts_per_chip', 'chips', false),
    ('watts_per_chip', 'cooling', false),
    ('watts_per_chip', 'workload', false)
),

scores as (
    select
        factor,
        term,
        held_out_scope,
        count(*) as n_observations,
        count(distinct feature_level) as level_count,
        median(effect_ln) as effect_ln,
        exp(median(abs(log_ratio_without))) as median_error_ratio_without,
        exp(median(abs(log_ratio_with))) as median_error_ratio_with,
        avg(abs(log_ratio_without) order by observation_id) as mean_abs_ln_error_without,
        avg(abs(log_ratio_with) order by observation_id) as mean_abs_ln_error_with,
        stddev_samp(abs(log_ratio_without) - abs(log_ratio_with) order by observation_id) / sqrt(count(*))
            as gain_se_ln_error
    from core.held_out_terms
    group by factor, term, held_out_scope
)

select
    scores.factor,
    scores.term,
    scores.held_out_scope,
    scores.n_observations,
    nullif(scores.level_count, 0) as n_levels,
    scores.effect_ln,
    scores.median_error_ratio_without,
    scores.median_error_ratio_with,
    scores.mean_abs_ln_error_without,
    scores.mean_abs_ln_error_with,
    scores.gain_se_ln_error,
    bool_and(
        scores.n_observations >= 20
        and scores.mean_abs_ln_error_with < 0.95 * scores.mean_abs_ln_error_without
        and scores.mean_abs_ln_error_without - scores.mean_abs_ln_error_with > 2 * scores.gain_se_ln_error
    ) over (partition by scores.factor, scores.term) as is_clearly_better,
    terms.is_used
from scores
left join terms on scores.factor = terms.factor and scores.term = terms.term
