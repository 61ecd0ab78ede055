-- The accelerators that a run with FLOP, but without a named accelerator, may have used. One row per run and accelerator.
-- Shares are those of the other runs of its developer within a year of it, drawn to those of all runs of these years
-- as if two of these were the developer's. Runs that are named serve to score this: a run never counts for itself, and
-- stranger_share_fraction is the share without any run of its developer.
with named as (
    select
        run_id,
        developer,
        run_year,
        hardware_id
    from core.training_runs
    where
        run_year is not null
        and hardware_id in (select throughput.hardware_id from core.throughput as throughput)
        and hardware_id in (select power.hardware_id from core.chip_power as power)
),

targets as (
    select
        run_id,
        developer,
        run_year
    from core.training_runs
    where
        run_year is not null
        and training_flop is not null
        and (
            hardware_id is null
            or run_id in (select observed.run_id from core.flop_observations as observed)
        )
),

near as (
    select
        targets.run_id,
        named.hardware_id,
        count(*) filter (where named.developer = targets.developer) as developer_runs,
        count(*) filter (where not are_related(named.developer, targets.developer)) as stranger_runs,
        count(*) as all_runs
    from targets
    inner join named
        on
            named.run_year between targets.run_year - 1 and targets.run_year + 1
            and targets.run_id <> named.run_id
    group by targets.run_id, named.hardware_id
),

totals as (
    select
        run_id,
        sum(developer_runs)::bigint as developer_runs,
        sum(stranger_runs) as stranger_runs,
        sum(all_runs) as all_runs
    from near
    group by run_id
)

select
    near.run_id,
    near.hardware_id,
    (near.developer_runs + 2 * near.all_runs / totals.all_runs) / (totals.developer_runs + 2) as share_fraction,
    near.stranger_runs / nullif(totals.stranger_runs, 0) as stranger_share_fraction,
    totals.developer_runs as developer_run_count
from near
inner join totals on near.run_id = totals.run_id
