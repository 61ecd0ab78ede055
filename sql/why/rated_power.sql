-- The rated power that a ratio is multiplied by. One row.
select
    hardware.name || ', rated power' as name,
    hardware.tdp_w as value,
    'W' as unit,
    hardware.source_id,
    hardware.source_title,
    hardware.source_url,
    hardware.source_locator,
    if(
        list_contains(string_split(coalesce(hardware.recalled_fields, ''), ';'), 'tdp_w'), 'recalled', hardware.verified
    ) as verified
from out.training_runs as runs
inner join out.hardware as hardware on runs.hardware_id = hardware.hardware_id
where runs.run_id = getvariable('run_id')
