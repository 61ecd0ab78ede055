-- What projects used besides their final runs: experiments, failed runs, idle machines. One row per published ratio.
select
    overhead_id,
    project,
    overhead_kind,
    run_ids,
    overhead_quantity,
    overhead_ratio,
    overhead_covers,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from raw.project_overheads
