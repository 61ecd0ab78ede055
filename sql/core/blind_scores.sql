-- Scores of the blind check: how far estimates of a release were from hours that entered the facts later. One row per
-- kind of comparison and group.
-- The file is a record of one check: the estimates were made before the stated hours were known, and neither changes any more.
with errors as (
    select
        run_id,
        compared,
        chip_hours_basis,
        coalesce(flop_confidence, 'counted') as flop_state,
        ln(estimated_chip_hours / stated_chip_hours) as log_ratio,
        z_90() * ln(gsd) as half_width -- 90 % of a normal distribution
    from raw.blind_hours
),

grouped as (
    select
        unnest(['all', chip_hours_basis, 'flop_' || flop_state]) as scored_group,
        *
    from errors
)

select
    compared,
    scored_group,
    count(*) as n_observations,
    avg((abs(log_ratio) <= half_width)::integer) as coverage_fraction,
    exp(median(abs(log_ratio))) as median_error_ratio,
    exp(avg(log_ratio order by run_id)) - 1 as bias_fraction,
    exp(avg(2 * half_width order by run_id)) as mean_interval_ratio,
    avg(2 * half_width + 2 / 0.1 * greatest(abs(log_ratio) - half_width, 0) order by run_id) as mean_interval_score,
    calibrated_gsd(list(log_ratio order by run_id)) as fitted_gsd
from grouped
group by compared, scored_group
