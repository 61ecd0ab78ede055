-- Accelerators that makers of accelerators train on, estimated from all other developers. One row per run and
-- accelerator of the developer's own make.
-- own_fraction: a maker trains on its own accelerators as often as the other makers do on theirs, each maker counted once.
-- mix_fraction: of these, on those that others used within a year of the run; if none did, on each that came out in the
-- year of the run or the three before.
with trainings as (
    select
        run_id,
        developer,
        run_year,
        hardware_id
    from core.training_runs
    where run_year is not null and hardware_id is not null
),

maker_runs as (
    select
        trainings.run_id,
        trainings.developer,
        own.manufacturer,
        bool_or(trainings.hardware_id = own.hardware_id)::integer as is_own
    from trainings
    inner join core.own_accelerators as own
        on trainings.developer = own.developer and trainings.run_year >= own.released_year
    group by trainings.run_id, trainings.developer, own.manufacturer
),

makers as (
    select distinct
        developer,
        manufacturer
    from core.own_accelerators
),

other_makers as (
    select
        makers.developer,
        maker_runs.manufacturer,
        avg(maker_runs.is_own) as own_fraction
    from makers
    inner join maker_runs
        on makers.manufacturer <> maker_runs.manufacturer and not are_related(makers.developer, maker_runs.developer)
    group by makers.developer, maker_runs.manufacturer
),

own_fractions as (
    select
        developer,
        avg(own_fraction order by manufacturer) as own_fraction
    from other_makers
    group by developer
),

used as (
    select
        runs.run_id,
        own.hardware_id,
        any_value(own.released_year between runs.run_year - 3 and runs.run_year)::integer as recent_chips,
        count(trainings.run_id) as used_runs
    from core.training_runs as runs
    inner join core.own_accelerators as own on runs.developer = own.developer
    left join trainings
        on
            own.hardware_id = trainings.hardware_id
            and trainings.run_year between runs.run_year - 1 and runs.run_year + 1
            and not are_related(runs.developer, trainings.developer)
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
inner join own_fractions on runs.developer = own_fractions.developer
where mixes.mix_fraction > 0
