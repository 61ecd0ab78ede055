-- The accelerators that a run may have used if it does not name one, with the hours that its FLOP take on each. One row per
-- accelerator, with the source of its peak speed.
select
    hardware.name || ' at ' || round(100 * power.mfu, 1) || ' % of its peak' as name,
    runs.training_flop / power.sustained_flop_per_s / 3600 as value, -- seconds to hours
    'chip-hours' as unit,
    mix.share_fraction / sum(mix.share_fraction) over () as weight_fraction,
    hardware.source_id,
    hardware.source_title,
    hardware.source_url,
    hardware.source_locator,
    hardware.verified
from core.hardware_mix as mix
inner join out.training_runs as runs on mix.run_id = runs.run_id
inner join out.hardware as hardware on mix.hardware_id = hardware.hardware_id
inner join out.hardware_power as power on mix.hardware_id = power.hardware_id
where mix.run_id = getvariable('run_id')
