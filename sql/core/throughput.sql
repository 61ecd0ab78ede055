-- Usual utilization (MFU) of training runs on an accelerator. One row per accelerator with a 16-bit peak, else an
-- FP32 peak.
-- Medians are used, because one wrong run moves a mean by an order of magnitude. The median of a generation (all its
-- form factors) is drawn towards its kind, as if the kind had two more observations.
with families as (
    select
        chip_family(hardware_id) as family,
        median(ln(mfu)) as ln_mfu,
        count(*) as own_observations
    from core.flop_observations
    group by family
),

kinds as (
    select
        kind,
        median(ln(mfu)) as ln_mfu
    from core.flop_observations
    group by kind
),

everything as (
    select median(ln(mfu)) as ln_mfu
    from core.flop_observations
)

select
    hardware.hardware_id,
    hardware.kind,
    hardware.peak_fp16_tflops,
    coalesce(families.own_observations, 0) as n_observations,
    exp(
        (coalesce(families.ln_mfu * n_observations, 0) + 2 * coalesce(kinds.ln_mfu, everything.ln_mfu))
        / (n_observations + 2)
    ) as mfu,
    coalesce(hardware.peak_fp16_tflops, hardware.peak_fp32_tflops) * 1e12 -- TFLOP to FLOP; older chips trained in FP32
    * mfu as sustained_flop_per_s
from core.hardware as hardware
left join families on chip_family(hardware.hardware_id) = families.family
left join kinds on hardware.kind = kinds.kind
cross join everything
where coalesce(hardware.peak_fp16_tflops, hardware.peak_fp32_tflops) is not null
