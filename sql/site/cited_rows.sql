-- What the rows are about that cite a source: a run, an accelerator, a location or an organisation.
with cited as (
    select
        source_id,
        'run' as kind,
        run_id as subject
    from training_runs
    union
    select
        source_id,
        'run' as kind,
        run_id as subject
    from model_sizes
    union
    select
        source_id,
        'run' as kind,
        run_id as subject
    from run_identifiers
    union
    select
        source_id,
        'run' as kind,
        run_id as subject
    from published_footprints
    union
    select
        source_id,
        'run' as kind,
        run_id as subject
    from mfu
    union
    select
        source_id,
        'hardware' as kind,
        hardware_id as subject
    from hardware
    union
    select
        source_id,
        'hardware' as kind,
        hardware_id as subject
    from system_power
    union
    select
        source_id,
        'hardware' as kind,
        hardware_id as subject
    from mlperf_energy
    union
    select
        source_id,
        'hardware' as kind,
        hardware_id as subject
    from support.embodied_carbon
    union
    select
        source_id,
        'region' as kind,
        cloud_region as subject
    from datacenter_pue
    union
    select
        source_id,
        'country' as kind,
        country as subject
    from grid_intensity
    union
    select
        source_id,
        'organisation' as kind,
        organisation as subject
    from organisations
    union
    select
        source_id,
        'organisation' as kind,
        provider as subject
    from datacenter_pue
)

select
    source_id,
    kind,
    subject
from cited
where source_id is not null and subject is not null
order by source_id, kind, subject
