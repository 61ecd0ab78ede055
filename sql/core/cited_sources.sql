-- How often the facts cite each address. One row per source.
select
    source_id(source_url) as source_id,
    first_source(source_title, source_url, null)[1] as title,
    first_source(source_title, source_url, null)[2] as url,
    count(*) as row_count
from (
    select
        source_title,
        source_url
    from core.disclosed_runs
    union all
    select
        source_title,
        source_url
    from raw.published_footprints
    union all
    select
        source_title,
        source_url
    from raw.market_intensities
    union all
    select
        source_title,
        source_url
    from raw.project_overheads
    union all
    select
        source_title,
        source_url
    from raw.active_parameters
    union all
    select
        source_title,
        source_url
    from raw.training_tokens
    union all
    select
        source_title,
        source_url
    from core.hardware
    union all
    select
        source_title,
        source_url
    from raw.system_power
    union all
    select
        source_title,
        source_url
    from raw.embodied_carbon
    union all
    select
        source_title,
        source_url
    from raw.hardware_lifetimes
    union all
    select
        source_title,
        source_url
    from raw.grid_water
    union all
    select
        source_title,
        source_url
    from core.datacenter_pue
    union all
    select
        source_title,
        source_url
    from core.grid_intensity
    union all
    select
        source_title,
        source_url
    from core.mlperf_energy
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
    union all
    select
        source_title,
        source_url
    from raw.capability_scores
    union all
    select
        source_title,
        source_url
    from raw.run_identifiers
    union all
    select
        source_title,
        source_url
    from raw.organisations
    union all
    select
        source_title,
        source_url
    from raw.run_relations
    union all
    select
        source_title,
        source_url
    from raw.rival_hours
    union all
    select
        source_title,
        source_url
    from raw.run_locations
    union all
    select
        source_title,
        source_url
    from raw.organisation_providers
    union all
    select
        source_title,
        source_url
    from raw.accelerator_regions
    union all
    select
        source_title,
        source_url
    from raw.onsite_generation
    union all
    select
        source_title,
        source_url
    from raw.host_power
) as facts
group by source_id(source_url)
