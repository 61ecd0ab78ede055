-- Average system power per chip of every accelerator while training, and how sure it is. One row per accelerator.
-- Measured on that chip, else its rating x measured over rated of its generation or kind: see core.chip_power.
with evidence as (
    select
        hardware.hardware_id,
        case
            when board_of(power.hardware_id) = board_of(hardware.hardware_id) then 1
            when chip_family(power.hardware_id) = chip_family(hardware.hardware_id) then 2
            when power.kind = hardware.kind then 3
            else 4
        end as distance,
        count(*) as measurements,
        count(distinct power.source_title) as measuring_sources,
        min(power.source_title) as source_title,
        arg_min(power.source_url, power.source_title) as source_url
    from core.hardware as hardware
    cross join core.power_observations as power
    group by hardware.hardware_id, distance
    qualify row_number() over (partition by hardware.hardware_id order by distance) = 1
)

select
    power.hardware_id,
    power.watts_per_chip,
    power.watts_basis,
    elsewhere.gsd as watts_gsd,
    power.measured_by,
    method.gsd as own_watts_gsd,
    throughput.mfu,
    throughput.sustained_flop_per_s,
    source_id(evidence.source_url) as source_id,
    evidence.source_title,
    evidence.source_url,
    'system_power: ' || counted(evidence.measurements, 'measurement') || ' '
    || ['on this chip', 'on its generation', 'on its kind', 'on other kinds'][evidence.distance]
    || if(evidence.distance = 1, '', '; ' || hardware.tdp_w || ' W rated x ' || round(exp(power.ln_rated_fraction), 3))
    || '; ' || counted(evidence.measuring_sources, 'source') || ', the first of them named' as source_locator
from core.chip_power as power
inner join core.method as method on method.factor = 'watts_per_chip' and power.watts_basis = method.basis
inner join core.method as elsewhere
    on elsewhere.factor = 'watts_per_chip' and power_basis_of(power.watts_basis, null, null) = elsewhere.basis
inner join core.hardware as hardware on power.hardware_id = hardware.hardware_id
left join core.throughput as throughput on power.hardware_id = throughput.hardware_id
left join evidence on power.hardware_id = evidence.hardware_id
