-- Nothing computes faster than its peak: a run above it has chips counted once instead of hours, or dense for sparse peaks.
select
    emissions.run_id,
    emissions.training_flop,
    emissions.chip_hours,
    hardware.peak_fp16_tflops,
    hardware.peak_fp8_tflops
from out.emissions as emissions
inner join core.hardware as hardware on emissions.hardware_id = hardware.hardware_id
where
    emissions.training_flop
    > emissions.chip_hours * 3600 -- hours to seconds
    * greatest(
        coalesce(hardware.peak_fp16_tflops, 0),
        coalesce(hardware.peak_fp8_tflops, 0),
        coalesce(hardware.peak_fp32_tflops, 0)
    ) * 1e12 -- TFLOP to FLOP
    and coalesce(hardware.peak_fp16_tflops, hardware.peak_fp8_tflops, hardware.peak_fp32_tflops) is not null
