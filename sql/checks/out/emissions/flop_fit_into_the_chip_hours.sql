-- No accelerator is faster than its peak. If a run would be, its hours are not chip-hours, or a sparse peak was taken
-- for a dense one.
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
