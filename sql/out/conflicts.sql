-- Every value that a second source gives for something that this dataset has a value for, and every published total beside
-- the one that was chosen of its run. One row per rival value that differs by more than rounding (half a percent), with the
-- value that was chosen and the rule that chose it.
with runs as (
    select
        'training_run' as subject_kind,
        upstream.run_id as subject,
        curated.source_url as chosen_source_url,
        upstream.source_url as rival_source_url,
        upstream.source_locator as rival_source_locator,
        unnest([
            struct_pack(name := 'parameters', chosen := curated.parameters, rival := upstream.parameters),
            struct_pack(name := 'training_flop', chosen := curated.training_flop, rival := upstream.training_flop),
            struct_pack(name := 'chips', chosen := curated.chips, rival := upstream.chips),
            struct_pack(name := 'training_hours', chosen := curated.training_hours, rival := upstream.training_hours),
            struct_pack(
                name := 'chip_hours',
                chosen := coalesce(curated.chip_hours, curated.chips * curated.training_hours),
                rival := coalesce(upstream.chip_hours, upstream.chips * upstream.training_hours)
            ),
            struct_pack(name := 'mfu', chosen := curated.mfu, rival := upstream.mfu)
        ]) as pair,
        'curated_facts_win' as rule
    from raw.training_runs as curated
    inner join core.upstream_runs as upstream on curated.run_id = upstream.run_id
),

second_statements as (
    select
        'training_run' as subject_kind,
        rivals.run_id as subject,
        curated.source_url as chosen_source_url,
        rivals.source_url as rival_source_url,
        rivals.source_locator as rival_source_locator,
        struct_pack(
            name := 'chip_hours',
            chosen := coalesce(curated.chip_hours, curated.chips * curated.training_hours),
            rival := rivals.chip_hours
        ) as pair,
        'first_statement' as rule
    from raw.rival_hours as rivals
    inner join raw.training_runs as curated on rivals.run_id = curated.run_id
),

grids as (
    select
        'grid' as subject_kind,
        curated.scheme || ' ' || curated.region || ' ' || curated.year || ' ' || curated.intensity_basis as subject,
        curated.source_url as chosen_source_url,
        upstreams.url as rival_source_url,
        upstream.source_locator as rival_source_locator,
        unnest([
            struct_pack(
                name := 'carbon_intensity_g_per_kwh',
                chosen := curated.carbon_intensity_g_per_kwh,
                rival := upstream.carbon_intensity_g_per_kwh
            ),
            struct_pack(name := 'cfe_fraction', chosen := curated.cfe_fraction, rival := upstream.cfe_fraction)
        ]) as pair,
        'curated_facts_win' as rule
    from core.upstream_grids as upstream
    inner join raw.upstreams as upstreams on upstream.source = upstreams.source
    inner join raw.grid_intensity as curated
        on
            upstream.scheme = curated.scheme
            and upstream.region = curated.region
            and upstream.year = curated.year
            and upstream.intensity_basis = curated.intensity_basis
            and upstream.gas = curated.gas
),

chips as (
    select
        'hardware' as subject_kind,
        curated.hardware_id as subject,
        curated.source_url as chosen_source_url,
        upstreams.url as rival_source_url,
        'Hardware name = ' || epoch.name as rival_source_locator,
        unnest([
            struct_pack(name := 'tdp_w', chosen := curated.tdp_w, rival := epoch.tdp_w),
            struct_pack(
                name := 'peak_fp32_tflops',
                chosen := curated.peak_fp32_tflops,
                rival := epoch.peak_fp32_flop_per_s / 1e12 -- FLOP to TFLOP
            ),
            struct_pack(
                name := 'peak_fp16_tflops',
                chosen := curated.peak_fp16_tflops,
                rival := coalesce(epoch.peak_tensor_fp16_flop_per_s, epoch.peak_fp16_flop_per_s) / 1e12 -- FLOP to TFLOP
            ),
            struct_pack(name := 'memory_gb', chosen := curated.memory_gb, rival := epoch.memory_bytes / 1e9) -- bytes to GB
        ]) as pair,
        'curated_facts_win' as rule
    from raw.epoch_hardware as epoch
    inner join raw.upstreams as upstreams on upstreams.source = 'epoch_hardware'
    inner join core.hardware_aliases as aliases on spelling_key(epoch.name) = aliases.alias_key
    inner join raw.hardware as curated on aliases.hardware_id = curated.hardware_id
),

powers as (
    select
        'training_run' as subject_kind,
        factors.run_id as subject,
        factors.source_url as chosen_source_url,
        upstreams.url as rival_source_url,
        models.file || ', Model = ' || models.model as rival_source_locator,
        struct_pack(
            name := 'watts_per_chip', chosen := factors.value, rival := models.training_power_draw_w / models.chips
        ) as pair,
        'rated_power_is_not_measured' as rule
    from raw.epoch_models as models
    inner join raw.upstreams as upstreams on upstreams.source = 'epoch_models'
    inner join core.model_ids as ids on models.model = ids.upstream_name
    inner join out.emission_factors as factors on ids.run_id = factors.run_id and factors.factor = 'watts_per_chip'
),

measurements as (
    select
        'mlperf_run' as subject_kind,
        concat_ws(' ', curated.round, curated.submitter, curated.system, curated.benchmark, curated.run_index) as subject,
        curated.source_url as chosen_source_url,
        upstreams.url as rival_source_url,
        curated.source_locator as rival_source_locator,
        struct_pack(name := 'energy_kwh', chosen := curated.energy_kwh, rival := parsed.energy_kwh) as pair,
        'curated_facts_win' as rule
    from raw.mlperf_training as parsed
    inner join raw.upstreams as upstreams on upstreams.source = 'mlperf_training'
    inner join raw.mlperf_energy as curated
        on
            parsed.round = curated.round
            and parsed.submitter = curated.submitter
            and parsed.system = curated.system
            and parsed.benchmark = curated.benchmark
            and parsed.run_index = curated.run_index
),

figures as (
    select
        'training_run' as subject_kind,
        rival.run_id as subject,
        chosen.source_url as chosen_source_url,
        rival.source_url as rival_source_url,
        rival.source_locator || ', ' || rival.model || ' (' || rival.scope || ')' as rival_source_locator,
        struct_pack(
            name := if(rival.quantity = 'energy_mwh', 'reported_energy_mwh', 'reported_co2e_t'),
            chosen := chosen.value,
            rival := rival.value
        ) as pair,
        case
            when rival.status <> 'published' then 'current_figure_first'
            when rival.scope = 'lifecycle' then 'operation_without_life_cycle'
            when chosen.scope = 'servers_x_pue' and rival.scope <> 'servers_x_pue' then 'whole_systems_first'
            when chosen.derivation = 'measured_power' and rival.derivation <> 'measured_power' then 'measured_power_first'
            when chosen.published_by = 'developer' and rival.published_by <> 'developer' then 'developer_first'
            when chosen.basis = 'gross_location' and rival.basis <> 'gross_location' then 'stated_basis_first'
            else 'first_by_address'
        end as rule
    from core.reported_figures as rival
    inner join core.reported_figures as chosen
        on
            rival.run_id = chosen.run_id
            and rival.quantity = chosen.quantity
            and chosen.preference = 1
            and chosen.is_eligible
    where rival.preference > 1
),

pairs as (
    select *
    from runs
    union all
    select *
    from second_statements
    union all
    select *
    from grids
    union all
    select *
    from chips
    union all
    select *
    from powers
    union all
    select *
    from measurements
    union all
    select *
    from figures
)

select
    pairs.subject_kind,
    pairs.subject,
    pairs.pair.name as column_name,
    cast(pairs.pair.chosen as double) as chosen_value,
    cast(pairs.pair.rival as double) as rival_value,
    rival_value / nullif(chosen_value, 0) as rival_ratio,
    pairs.rule,
    source_id(pairs.chosen_source_url) as chosen_source_id,
    source_id(pairs.rival_source_url) as rival_source_id,
    pairs.rival_source_locator
from pairs
where
    pairs.pair.chosen is not null
    and pairs.pair.rival is not null
    and abs(rival_value - chosen_value) > 0.005 * abs(chosen_value)
