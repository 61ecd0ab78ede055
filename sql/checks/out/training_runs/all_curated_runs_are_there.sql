-- No curated run is lost or repeated, and its chips and hours are not replaced by another source's.
select curated.run_id
from raw.training_runs as curated
left join out.training_runs as published on curated.run_id = published.run_id
where
    published.run_id is null
    or curated.chips is distinct from published.chips
    or curated.training_hours is distinct from published.training_hours
    or curated.chip_hours is distinct from published.chip_hours
    or curated.training_flop is distinct from published.training_flop
    or curated.hardware is distinct from published.hardware
