-- Accelerators: curated ones, and others from Epoch AI. One row per accelerator. Peaks are dense.
with spellings as (
    select spelling_key(alias) as alias_key
    from raw.hardware_aliases
    union
    select spelling_key(name) as alias_key
    from raw.hardware
    union
    select spelling_key(hardware_id) as alias_key
    from raw.hardware
)

select
    hardware_id,
    name,
    manufacturer,
    kind,
    released_date,
    tdp_w,
    peak_fp32_tflops,
    peak_tf32_tflops,
    peak_fp16_tflops,
    peak_fp8_tflops,
    peak_int8_tops,
    memory_gb,
    memory_bandwidth_gb_per_s,
    process_nm,
    die_mm2,
    dies,
    recalled_fields,
    source_title,
    source_url,
    source_locator,
    verified
from raw.hardware
union all
select
    slug(epoch.name) as hardware_id,
    epoch.name,
    coalesce(epoch.manufacturer, 'unknown') as manufacturer,
    case epoch.hardware_type when 'GPU' then 'gpu' when 'TPU' then 'tpu' when 'CPU' then 'cpu' else 'asic' end as kind,
    epoch.released_date,
    epoch.tdp_w,
    epoch.peak_fp32_flop_per_s / 1e12 as peak_fp32_tflops, -- FLOP to TFLOP
    epoch.peak_tf32_flop_per_s / 1e12 as peak_tf32_tflops, -- FLOP to TFLOP
    coalesce(epoch.peak_tensor_fp16_flop_per_s, epoch.peak_fp16_flop_per_s) / 1e12 as peak_fp16_tflops, -- FLOP to TFLOP
    epoch.peak_fp8_flop_per_s / 1e12 as peak_fp8_tflops, -- FLOP to TFLOP
    epoch.peak_int8_op_per_s / 1e12 as peak_int8_tops, -- OP to TOP
    epoch.memory_bytes / 1e9 as memory_gb, -- bytes to GB
    epoch.memory_bandwidth_bytes_per_s / 1e9 as memory_bandwidth_gb_per_s, -- bytes to GB
    epoch.process_nm,
    epoch.die_mm2,
    cast(null as bigint) as dies,
    cast(null as varchar) as recalled_fields,
    upstreams.title as source_title,
    upstreams.url as source_url,
    'Hardware name = ' || epoch.name as source_locator,
    'epoch' as verified
from raw.epoch_hardware as epoch
inner join raw.upstreams as upstreams on upstreams.source = 'epoch_hardware'
where spelling_key(epoch.name) not in (select spellings.alias_key from spellings)
