-- How often each address is cited by the facts. One row per source.
select
    source_id(source_url) as source_id,
    min(source_title) as title,
    min(source_url) as url,
    count(*) as row_count
from (
    select
        source_title,
        source_url
    from raw.training_runs
    union all
    select
        source_title,
        source_url
    from raw.published_footprints
    union all
    select
        source_title,
        source_url
    from raw.hardware
    union all
    select
        source_title,
        source_url
    from raw.system_power
    union all
    select
        source_title,
        source_url
    from raw.datacenter_pue
    union all
    select
        source_title,
        source_url
    from raw.grid_intensity
    union all
    select
        source_title,
        source_url
    from raw.mlperf_energy
    union all
    select
        source_title,
        source_url
    from raw.mlperf_power_scores
    union all
    select
        source_title,
        source_url
    from raw.mfu
    union all
    select
        source_title,
        source_url
    from raw.paper_2021_numbers
) as facts
group by source_id(source_url)
