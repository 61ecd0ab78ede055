-- Accelerators that makers of accelerators train on, estimated from all other organisations. One row per run
-- and accelerator of the organisation's own make.
-- own_fraction: a maker trains on its own accelerators as often as the other makers do on theirs, each maker counted once.
-- mix_fraction: of these, on those that others used within a year of the run; if none did, on each that came out in the
-- year of the run or the three before.
with trainings as (
    select
        run_id,
        organisation,
        organisations,
        run_year,
        hardware_id
    from core.training_runs
    where run_year is not null and hardware_id is not null
),

maker_runs as (
    select
        trainings.run_id,
        trainings.organisation,
        trainings.organisations,
        bool_or(trainings.hardware_id = own.hardware_id)::integer as is_own
    from trainings
    inner join core.own_accelerators as own
        on trainings.organisation = own.organisation and trainings.run_year >= own.released_year
    group by trainings.run_id, trainings.organisation, trainings.organisations
),

makers as (
    select distinct organisation
    from core.own_accelerators
),

other_makers as (
    select
        makers.organisation,
        maker_runs.organisation as other_organisation,
        avg(maker_runs.is_own) as own_fraction
    from makers
    inner join maker_runs on not are_related(makers.organisation, maker_runs.organisations)
    group by makers.organisation, maker_runs.organisation
),

own_fractions as (
    select
        organisation,
        avg(own_fraction order by other_organisation) as own_fraction
    from other_makers
    group by organisation
),

used as (
    select
        runs.run_id,
        own.hardware_id,
        any_value(own.released_year between runs.run_year - 3 and runs.run_year)::integer as recent_chips,
        count(trainings.run_id) as used_runs
    from core.training_runs as runs
    inner join core.own_accelerators as own on runs.organisation = own.organisation
    left join trainings
        on
            own.hardware_id = trainings.hardware_id
            and trainings.run_year between runs.run_year - 1 and runs.run_year + 1
            and not are_related(runs.organisations, trainings.organisations)
    where runs.run_year is not null
    group by runs.run_id, own.hardware_id
),

mixes as (
    select
        run_id,
        hardware_id,
        sum(used_runs) over (partition by run_id) as all_used_runs,
        sum(recent_chips) over (partition by run_id) as all_recent_chips,
        if(all_used_runs > 0, used_runs / all_used_runs, recent_chips / nullif(all_recent_chips, 0)) as mix_fraction
    from used
)

select
    mixes.run_id,
    mixes.hardware_id,
    own_fractions.own_fraction,
    mixes.mix_fraction
from mixes
inner join core.training_runs as runs on mixes.run_id = runs.run_id
inner join own_fractions on runs.organisation = own_fractions.organisation
where mixes.mix_fraction > 0
