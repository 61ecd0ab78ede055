-- Model FLOP utilisation that training runs reach, per accelerator. One row per accelerator with a 16-bit peak, else an FP32 one.
-- A chip without an observation takes the geometric mean of its kind, else of all.
with observed as (
    select
        hardware.hardware_id,
        hardware.kind,
        exp(avg(ln(mfu.mfu))) as mfu,
        count(*) as n_observations
    from raw.mfu as mfu
    inner join core.hardware as hardware on mfu.hardware_id = hardware.hardware_id
    where mfu.mfu_set = 'training_run' and mfu.mfu_basis = 'model_flops' and mfu.precision is distinct from 'fp8'
    group by hardware.hardware_id, hardware.kind
),

kinds as (
    select
        kind,
        exp(avg(ln(mfu))) as mfu
    from observed
    group by kind
),

everything as (
    select exp(avg(ln(mfu))) as mfu
    from observed
)

select
    hardware.hardware_id,
    hardware.kind,
    hardware.peak_fp16_tflops,
    coalesce(observed.mfu, kinds.mfu, everything.mfu) as mfu,
    coalesce(observed.n_observations, 0) as n_observations,
    coalesce(hardware.peak_fp16_tflops, hardware.peak_fp32_tflops) * 1e12 -- TFLOP to FLOP; older chips trained in FP32
    * coalesce(observed.mfu, kinds.mfu, everything.mfu) as sustained_flop_per_s
from core.hardware as hardware
left join observed on hardware.hardware_id = observed.hardware_id
left join kinds on hardware.kind = kinds.kind
cross join everything
where coalesce(hardware.peak_fp16_tflops, hardware.peak_fp32_tflops) is not null
