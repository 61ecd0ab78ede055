-- The accelerators that a run may have used if it does not name one, with the power of each. One row per accelerator.
select
    hardware.name,
    power.watts_per_chip as value,
    'W' as unit,
    mix.share_fraction / sum(mix.share_fraction) over () as weight_fraction,
    power.source_id,
    power.source_title,
    power.source_url,
    power.source_locator,
    hardware.verified
from core.hardware_mix as mix
inner join out.hardware as hardware on mix.hardware_id = hardware.hardware_id
inner join out.hardware_power as power on mix.hardware_id = power.hardware_id
where mix.run_id = getvariable('run_id')
