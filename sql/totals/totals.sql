-- Sums of runs by group: the draws of the whole runs of each (`sums`), with their count, mean and largest run, and what is left
-- out. One row per group with a whole run. The mean is a sum of means, without draws.
with members as (
    select
        groups.group_kind,
        groups.group_value,
        runs.run_id,
        runs.energy_mwh_mean,
        runs.co2e_gross_t_mean,
        runs.co2e_lifecycle_t_mean,
        runs.solidity,
        kinds.kind
    from groups
    inner join emissions as runs on groups.run_id = runs.run_id
    inner join kinds on groups.run_id = kinds.run_id
),

counts as (
    select
        group_kind,
        group_value,
        count(*) filter (where kind = 'whole') as run_count,
        count(*) filter (where kind = 'parts') as left_out_part_count,
        count(*) filter (where kind = 'bounds') as left_out_bound_count,
        count(*) filter (where kind = 'shared') as left_out_shared_count,
        sum(energy_mwh_mean order by run_id) filter (where kind = 'whole') as energy_mwh_mean,
        sum(co2e_gross_t_mean order by run_id) filter (where kind = 'whole') as co2e_gross_t_mean,
        sum(co2e_lifecycle_t_mean order by run_id) filter (where kind = 'whole') as co2e_lifecycle_t_mean,
        sum(energy_mwh_mean order by run_id) filter (where kind = 'whole' and solidity = 'guessed') as guessed_mwh_mean,
        arg_max(run_id, row(energy_mwh_mean, run_id)) filter (where kind = 'whole') as largest_run_id,
        max(energy_mwh_mean) filter (where kind = 'whole') as largest_mwh_mean
    from members
    group by group_kind, group_value
)

select
    counts.group_kind,
    counts.group_value,
    counts.run_count,
    counts.left_out_part_count,
    counts.left_out_bound_count,
    counts.left_out_shared_count,
    sums.energy_mwh_p05,
    sums.energy_mwh_p50,
    sums.energy_mwh_p95,
    counts.energy_mwh_mean,
    sums.co2e_gross_t_p05,
    sums.co2e_gross_t_p50,
    sums.co2e_gross_t_p95,
    counts.co2e_gross_t_mean,
    sums.co2e_lifecycle_t_p05,
    sums.co2e_lifecycle_t_p50,
    sums.co2e_lifecycle_t_p95,
    counts.co2e_lifecycle_t_mean,
    counts.largest_run_id,
    counts.largest_mwh_mean / counts.energy_mwh_mean as largest_run_share_fraction,
    coalesce(counts.guessed_mwh_mean, 0) / counts.energy_mwh_mean as guessed_share_fraction,
    sums.draw_count,
    sums.error_fraction as draw_error_fraction
from counts
inner join sums on counts.group_kind = sums.group_kind and counts.group_value = sums.group_value
