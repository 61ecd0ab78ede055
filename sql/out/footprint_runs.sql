-- Published figures of several runs or of a whole project, and the runs of the dataset that they cover. One row per published id
-- and run.
select *
from raw.footprint_runs
