-- The measurements of power that the power of one run is the mean of, as in core.watts_candidates: on its chip, or, for a
-- ratio, on its generation, on its kind, or on all chips. One row per measurement; a ratio is measured over rated power.
-- All measurements of one source count as one, and so do all sources of one chip.
with near as (
    select
        power.*,
        starts_with(getvariable('basis'), 'measured_ratio') as is_ratio,
        case
            when board_of(power.hardware_id) = board_of(runs.hardware_id) and not is_ratio then 1
            when chip_family(power.hardware_id) = chip_family(runs.hardware_id) then 2
            when power.kind = hardware.kind then 3
            else 4
        end as distance
    from core.power_observations as power
    inner join out.training_runs as runs on power.run_id is distinct from runs.run_id
    inner join out.hardware as hardware on runs.hardware_id = hardware.hardware_id
    where runs.run_id = getvariable('run_id')
    qualify min(distance) over () = distance
),

chips as (
    select
        board_of(hardware_id) as board,
        count(distinct source_title) as sources,
        count(*) over () as chips
    from near
    group by board
)

select
    power_id(near.hardware_id, near.system, near.workload) as name,
    if(near.is_ratio, near.rated_fraction, near.watts_per_chip) as value,
    if(near.is_ratio, 'of its rated power', 'W') as unit,
    1 / chips.chips / chips.sources / count(*) over (partition by chips.board, near.source_title) as weight_fraction,
    source_id(near.source_url) as source_id,
    near.source_title,
    near.source_url,
    near.source_locator,
    near.verified
from near
inner join chips on board_of(near.hardware_id) = chips.board
