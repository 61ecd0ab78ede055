-- The accelerators of the table what_if: of each used one, every other of its kind that was made for machine learning and
-- used. hours_ratio: hours on the other one, for the same FLOP at its usual utilization. One row per pair.
with chips as (
    select
        used.hardware_id,
        throughput.kind,
        throughput.sustained_flop_per_s,
        throughput.peak_fp16_tflops is not null as is_for_machine_learning
    from (
        select distinct hardware_id
        from support.what_if_runs
    ) as used
    inner join core.throughput as throughput on used.hardware_id = throughput.hardware_id
)

select
    own.hardware_id,
    other.hardware_id as other_hardware_id,
    own.sustained_flop_per_s / other.sustained_flop_per_s as hours_ratio,
    speed.gsd as hours_ratio_gsd,
    power.watts_per_chip,
    power.watts_gsd,
    power.own_watts_gsd,
    power.measured_by
from chips as own
inner join chips as other
    on own.kind = other.kind and own.hardware_id <> other.hardware_id and other.is_for_machine_learning
inner join out.hardware_power as power on other.hardware_id = power.hardware_id
inner join core.method as speed on speed.factor = 'chip_hours' and speed.basis = 'flop_over_throughput'
