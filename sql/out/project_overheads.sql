-- What projects used besides their final runs: experiments, failed runs, idle machines. One row per published ratio.
select
    *,
    source_id(source_url) as source_id
from raw.project_overheads
