-- Average system draw per chip of every accelerator, for runs that are imagined on it. One row per accelerator.
-- Measured on that chip, else rated power x measured over rated of its kind, else of all measured chips.
with measured as (
    select
        hardware_id,
        kind,
        exp(avg(ln(watts_per_chip))) as watts_per_chip,
        exp(avg(ln(rated_fraction))) as rated_fraction
    from core.power_observations
    group by hardware_id, kind
),

kinds as (
    select
        kind,
        exp(avg(ln(rated_fraction))) as rated_fraction
    from measured
    group by kind
),

everything as (
    select exp(avg(ln(rated_fraction))) as rated_fraction
    from measured
)

select
    hardware.hardware_id,
    coalesce(
        measured.watts_per_chip,
        hardware.tdp_w * coalesce(kinds.rated_fraction, everything.rated_fraction)
    ) as watts_per_chip,
    if(measured.watts_per_chip is null, 'measured_ratio', 'measured_same_chip') as watts_basis
from core.hardware as hardware
left join measured on hardware.hardware_id = measured.hardware_id
left join kinds on hardware.kind = kinds.kind
cross join everything
where measured.watts_per_chip is not null or hardware.tdp_w is not null
