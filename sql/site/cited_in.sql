-- In how many rows of each table of facts a source is cited.
with cited as (
    select
        source_id,
        'training_runs' as table_name
    from training_runs
    union all
    select
        source_id,
        'published_footprints' as table_name
    from published_footprints
    union all
    select
        source_id,
        'system_power' as table_name
    from system_power
    union all
    select
        source_id,
        'mfu' as table_name
    from mfu
    union all
    select
        source_id,
        'hardware' as table_name
    from hardware
    union all
    select
        source_id,
        'datacenter_pue' as table_name
    from datacenter_pue
    union all
    select
        source_id,
        'grid_intensity' as table_name
    from grid_intensity
    union all
    select
        source_id,
        'grid_water' as table_name
    from support.grid_water
    union all
    select
        source_id,
        'embodied_carbon' as table_name
    from support.embodied_carbon
    union all
    select
        source_id,
        'hardware_lifetimes' as table_name
    from support.hardware_lifetimes
    union all
    select
        source_id,
        'mlperf_energy' as table_name
    from mlperf_energy
    union all
    select
        source_id,
        'mlperf_power_scores' as table_name
    from support.mlperf_power_scores
    union all
    select
        source_id,
        'model_sizes' as table_name
    from model_sizes
    union all
    select
        source_id,
        'run_identifiers' as table_name
    from run_identifiers
    union all
    select
        source_id,
        'organisations' as table_name
    from organisations
    union all
    select
        source_id,
        'project_overheads' as table_name
    from project_overheads
    union all
    select
        source_id,
        'market_intensities' as table_name
    from market_intensities
    union all
    select
        source_id,
        'capability_scores' as table_name
    from capability_scores
)

select
    source_id,
    table_name,
    count(*) as row_count
from cited
where source_id is not null
group by source_id, table_name
order by source_id, table_name
