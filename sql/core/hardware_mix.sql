-- Accelerators that a run with FLOP or hours but without a named accelerator may have used. One row per run and accelerator.
-- The shares are from the organisation's other runs within a year, drawn towards all runs of these years as if two of
-- those were the organisation's. Organisations that make accelerators are expected to use their own (core.maker_mixes).
-- Runs with a named accelerator are included to score the estimate. A run never counts for itself, and
-- stranger_share_fraction is the share without any run of its organisations.
with named as (
    select
        run_id,
        organisation,
        organisations,
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
        organisation,
        organisations,
        run_year
    from core.training_runs
    where
        run_year is not null
        and (
            (hardware_id is null and coalesce(training_flop, chip_hours, chips * training_hours) is not null)
            or run_id in (select observed.run_id from core.flop_observations as observed)
        )
),

near as (
    select
        targets.run_id,
        named.hardware_id,
        count(*) filter (where named.organisation = targets.organisation) as developer_runs,
        count(*) filter (where not are_related(named.organisations, targets.organisations)) as stranger_runs,
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
),

makers as (
    select
        run_id,
        any_value(own_fraction) as own_fraction
    from core.maker_mixes
    group by run_id
),

candidates as (
    select
        run_id,
        hardware_id
    from near
    union
    select
        run_id,
        hardware_id
    from core.maker_mixes
),

shares as (
    select
        candidates.run_id,
        candidates.hardware_id,
        coalesce(near.developer_runs, 0) as developer_runs,
        totals.developer_runs as developer_run_count,
        coalesce(makers.own_fraction, 0) as own_fraction,
        coalesce(own.mix_fraction, 0) as own_mix_fraction,
        coalesce(near.all_runs, 0) / totals.all_runs as all_mix_fraction,
        coalesce(near.stranger_runs, 0) / nullif(totals.stranger_runs, 0) as stranger_mix_fraction
    from candidates
    inner join totals on candidates.run_id = totals.run_id
    left join near on candidates.run_id = near.run_id and candidates.hardware_id = near.hardware_id
    left join makers on candidates.run_id = makers.run_id
    left join core.maker_mixes as own on candidates.run_id = own.run_id and candidates.hardware_id = own.hardware_id
)

select
    run_id,
    hardware_id,
    (developer_runs + 2 * (own_fraction * own_mix_fraction + (1 - own_fraction) * all_mix_fraction)) / (developer_run_count + 2)
        as share_fraction,
    own_fraction * own_mix_fraction + (1 - own_fraction) * stranger_mix_fraction as stranger_share_fraction,
    developer_run_count
from shares
