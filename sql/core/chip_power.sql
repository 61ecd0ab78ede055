-- Average power of the whole system per accelerator during training. One row per accelerator that has a rating or a
-- measurement. The power is measured on that accelerator, whatever its memory; else it is its rated power x the
-- measured share of rated power of its generation, its kind, or all accelerators. Each source counts once, because
-- measurements of one source share meters, cooling and workloads. measured_by names the operators of the measured
-- systems; the estimate is more certain in their data centers.
with sources as (
    select
        board_of(hardware_id) as board,
        kind,
        source_title,
        avg(ln(watts_per_chip) order by ln(watts_per_chip)) as ln_watts,
        avg(ln(rated_fraction) order by ln(rated_fraction)) as ln_fraction
    from core.power_observations
    group by board, kind, source_title
),

chips as (
    select
        board,
        kind,
        avg(ln_watts order by ln_watts) as ln_watts,
        avg(ln_fraction order by ln_fraction) as ln_fraction
    from sources
    group by board, kind
),

families as (
    select
        chip_family(board) as family,
        avg(ln_fraction order by ln_fraction) as ln_fraction
    from chips
    group by family
),

kinds as (
    select
        kind,
        avg(ln_fraction order by ln_fraction) as ln_fraction
    from chips
    group by kind
),

measurers as (
    select
        hardware.hardware_id,
        case
            when board_of(power.hardware_id) = board_of(hardware.hardware_id) then 1
            when chip_family(power.hardware_id) = chip_family(hardware.hardware_id) then 2
            when power.kind = hardware.kind then 3
            else 4
        end as distance,
        string_agg(distinct power.provider, ';' order by power.provider) as measured_by
    from core.hardware as hardware
    cross join core.power_observations as power
    group by hardware.hardware_id, distance
    qualify row_number() over (partition by hardware.hardware_id order by distance) = 1
),

everything as (
    select avg(ln_fraction order by ln_fraction) as ln_fraction
    from chips
)

select
    hardware.hardware_id,
    coalesce(families.ln_fraction, kinds.ln_fraction, everything.ln_fraction) as ln_rated_fraction,
    coalesce(exp(chips.ln_watts), hardware.tdp_w * exp(ln_rated_fraction)) as watts_per_chip,
    case measurers.distance
        when 1 then 'measured_same_chip'
        when 4 then 'measured_ratio_other_class'
        else 'measured_ratio'
    end as watts_basis,
    measurers.measured_by
from core.hardware as hardware
left join chips on board_of(hardware.hardware_id) = chips.board
left join families on chip_family(hardware.hardware_id) = families.family
left join kinds on hardware.kind = kinds.kind
left join measurers on hardware.hardware_id = measurers.hardware_id
cross join everything
where chips.ln_watts is not null or hardware.tdp_w is not null
