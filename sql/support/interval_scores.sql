-- Coverage and interval score of 90 % intervals before and after two rules. One row per rule, what is scored, and quantity or
-- basis. Rules: hours that nobody published end at an upper bound; the part of a PUE above 1, and not the PUE, is lognormal.
-- Tests of the accuracy know no bound, so they are the intervals before it. Before the rule of the PUE, an energy or its tonnes
-- had a lognormal interval of the same width. Where only the PUE is scored, both distributions are fitted on the runs of all
-- other organisations, each of which counts once.
with tests as (
    select
        scores.quantity,
        scores.truth_value,
        scores.estimate,
        scores.p05,
        scores.p95,
        bounds.bound_mwh * case scores.quantity
            when 'energy_mwh' then 1
            when 'co2e_gross_t' then emissions.gross_kg_per_kwh -- MWh x kg/kWh is t
            else 1e6 / (emissions.watts_per_chip * emissions.pue) -- MWh to Wh
        end as upper_bound,
        ln(scores.p95 / scores.p05) / 2 / z_90() as ln_gsd,
        if(
            scores.held_out in ('chip_hours', 'hardware', 'location'), -- else the hours are published
            normal_below(ln(upper_bound / scores.estimate) / ln_gsd),
            null
        ) as below_bound_fraction,
        coalesce(is_cut_off(below_bound_fraction), false) as is_bounded
    from out.accuracy_runs as scores
    left join core.flop_observations as observations
        on scores.quantity = 'chip_hours' and scores.truth_id = observations.observation_id
    left join out.emissions as emissions on coalesce(observations.run_id, scores.truth_id) = emissions.run_id
    left join core.capacity_bounds as bounds on emissions.run_id = bounds.run_id
    where scores.estimator = 'ote' and scores.quantity in ('energy_mwh', 'co2e_gross_t', 'chip_hours')
),

published as (
    select
        agreement.quantity,
        agreement.published_value,
        agreement.computed_value,
        agreement.p05,
        agreement.p95,
        hours.upper_bound is not null as is_bounded,
        agreement.computed_value * hours.unbounded_value / hours.value as unbounded_computed,
        pow(ln(agreement.computed_value / agreement.p05), 2) - pow(ln(hours.value / hours.p05), 2) as rest_below,
        pow(ln(agreement.p95 / agreement.computed_value), 2) - pow(ln(hours.p95 / hours.value), 2) as rest_above,
        ln(hours.gsd) as hours_ln_gsd
    from out.agreement as agreement
    left join out.emission_factors as hours on agreement.run_id = hours.run_id and hours.factor = 'chip_hours'
),

pues as (
    select
        errors.run_id,
        errors.basis,
        errors.organisation,
        runs.pue,
        errors.log_ratio,
        1 + (runs.pue - 1) * exp(errors.log_ratio) as estimate,
        ln(estimate / runs.pue) as whole_log_ratio
    from core.location_errors as errors
    inner join core.training_runs as runs on errors.run_id = runs.run_id
    where errors.factor = 'pue' and errors.basis <> 'industry_year' -- stated, as in core.method
),

pue_groups as (
    select
        basis,
        organisation,
        avg(pow(log_ratio, 2) order by run_id) as mean_square,
        avg(pow(whole_log_ratio, 2) order by run_id) as whole_mean_square
    from pues
    group by basis, organisation
),

pue_fits as (
    select
        pues.run_id,
        pues.basis,
        any_value(pues.pue) as pue,
        any_value(pues.estimate) as estimate,
        z_90() * ln(calibrated_gsd_of_groups(list(others.mean_square order by others.organisation))) as half_width,
        z_90() * ln(calibrated_gsd_of_groups(list(others.whole_mean_square order by others.organisation))) as whole_half_width
    from pues
    inner join pue_groups as others on pues.basis = others.basis and pues.organisation <> others.organisation
    group by pues.run_id, pues.basis
),

intervals as (
    select
        'upper_bound' as interval_rule,
        'accuracy' as scored,
        quantity as scored_group,
        truth_value as truth,
        p05 as p05_before,
        p95 as p95_before,
        if(is_bounded, estimate * exp(ln_gsd * normal_quantile(0.05 * below_bound_fraction)), p05) as p05_after,
        if(is_bounded, estimate * exp(ln_gsd * normal_quantile(0.95 * below_bound_fraction)), p95) as p95_after
    from tests
    union all
    select
        'upper_bound' as interval_rule,
        'agreement' as scored,
        quantity as scored_group,
        published_value as truth,
        if(is_bounded, unbounded_computed / exp(widened(sqrt(greatest(rest_below, 0)), hours_ln_gsd)), p05) as p05_before,
        if(is_bounded, unbounded_computed * exp(widened(sqrt(greatest(rest_above, 0)), hours_ln_gsd)), p95) as p95_before,
        p05 as p05_after,
        p95 as p95_after
    from published
    union all
    select
        'pue_above_1' as interval_rule,
        'accuracy' as scored,
        quantity as scored_group,
        truth_value as truth,
        estimate * exp(-ln(p95 / p05) / 2) as p05_before,
        estimate * exp(ln(p95 / p05) / 2) as p95_before,
        p05 as p05_after,
        p95 as p95_after
    from tests
    where quantity <> 'chip_hours'
    union all
    select
        'pue_above_1' as interval_rule,
        'agreement' as scored,
        quantity as scored_group,
        published_value as truth,
        computed_value * exp(-ln(p95 / p05) / 2) as p05_before,
        computed_value * exp(ln(p95 / p05) / 2) as p95_before,
        p05 as p05_after,
        p95 as p95_after
    from published
    union all
    select
        'pue_above_1' as interval_rule,
        'pue' as scored,
        basis as scored_group,
        pue as truth,
        estimate * exp(-whole_half_width) as p05_before,
        estimate * exp(whole_half_width) as p95_before,
        1 + (estimate - 1) * exp(-half_width) as p05_after,
        1 + (estimate - 1) * exp(half_width) as p95_after
    from pue_fits
    where half_width is not null
),

scores as (
    select
        interval_rule,
        scored,
        scored_group,
        (truth between p05_before and p95_before)::integer as is_inside_before,
        (truth between p05_after and p95_after)::integer as is_inside_after,
        interval_score(p05_before, p95_before, truth) as score_before,
        interval_score(p05_after, p95_after, truth) as score_after,
        abs(ln(p05_before / p05_after)) > 1e-9 or abs(ln(p95_before / p95_after)) > 1e-9 as is_changed
    from intervals
)

select
    interval_rule,
    scored,
    scored_group,
    count(*) as n_observations,
    count(*) filter (is_changed) as changed_count,
    avg(is_inside_before) as coverage_before_fraction,
    avg(is_inside_after) as coverage_after_fraction,
    avg(score_before order by score_before) as mean_interval_score_before,
    avg(score_after order by score_after) as mean_interval_score_after
from scores
group by interval_rule, scored, scored_group
