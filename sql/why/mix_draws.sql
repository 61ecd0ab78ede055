-- The accelerators that a run may have used if it does not name one, with the power of each. One row per accelerator.
select
    hardware.name,
    draws.watts_per_chip as value,
    'W' as unit,
    mix.share_fraction / sum(mix.share_fraction) over () as weight_fraction,
    draws.source_id,
    draws.source_title,
    draws.source_url,
    draws.source_locator,
    hardware.verified
from core.hardware_mix as mix
inner join out.hardware as hardware on mix.hardware_id = hardware.hardware_id
inner join out.hardware_draws as draws on mix.hardware_id = draws.hardware_id
where mix.run_id = getvariable('run_id')
