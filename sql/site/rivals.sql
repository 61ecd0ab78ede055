-- Facts of a run that a second source gives otherwise, and why the chosen one was chosen.
select
    subject as run_id,
    column_name,
    chosen_value,
    rival_value,
    rule,
    rival_source_id
from conflicts
where subject_kind = 'training_run'
order by all
