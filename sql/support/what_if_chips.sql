-- The accelerators of the table what_if: of each used one, every other of its kind that was made for machine learning and
-- used. hours_ratio: hours on the other one, for the same FLOP at its usual utilization. One row per pair.
-- clearly_better_chips: how many of the others need less energy for the same FLOP, by more than the uncertainty of both
-- powers and speeds explains (95 %, one-sided).
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
),

pairs as (
    select
        own.hardware_id,
        other.hardware_id as other_hardware_id,
        own.sustained_flop_per_s / other.sustained_flop_per_s as hours_ratio,
        speed.gsd as hours_ratio_gsd,
        power.watts_per_chip,
        power.watts_gsd,
        power.own_watts_gsd,
        power.measured_by,
        ln(hours_ratio * power.watts_per_chip) as ln_relative_energy,
        pow(ln(speed.gsd), 2) + pow(ln(power.watts_gsd), 2) as ln_variance
    from chips as own
    inner join chips as other
        on own.kind = other.kind and own.hardware_id <> other.hardware_id and other.is_for_machine_learning
    inner join out.hardware_power as power on other.hardware_id = power.hardware_id
    inner join core.method as speed on speed.factor = 'chip_hours' and speed.basis = 'flop_over_throughput'
)

select
    pairs.hardware_id,
    pairs.other_hardware_id,
    any_value(pairs.hours_ratio) as hours_ratio,
    any_value(pairs.hours_ratio_gsd) as hours_ratio_gsd,
    any_value(pairs.watts_per_chip) as watts_per_chip,
    any_value(pairs.watts_gsd) as watts_gsd,
    any_value(pairs.own_watts_gsd) as own_watts_gsd,
    any_value(pairs.measured_by) as measured_by,
    count(rivals.other_hardware_id) as clearly_better_chips
from pairs
left join pairs as rivals
    on
        pairs.hardware_id = rivals.hardware_id
        and pairs.ln_relative_energy - rivals.ln_relative_energy
        > z_90() * sqrt(pairs.ln_variance + rivals.ln_variance)
group by pairs.hardware_id, pairs.other_hardware_id
