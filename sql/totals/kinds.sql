-- Whether a run counts in a sum: whole runs do, each training once. Everything else is left out, and counted by its kind.
-- One row per run of `selected`.
select
    run_id,
    case
        when energy_shared_with is not null then 'shared'
        when covers = 'one_run' then 'whole'
        when covers in ('upper_bound', 'lower_bound') then 'bounds'
        else 'parts'
    end as kind
from selected
