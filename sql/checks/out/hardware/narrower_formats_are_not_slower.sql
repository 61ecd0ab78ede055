-- The dense peak of a narrower number format is not lower. If the FP8 peak is below the FP16 peak, one of them is
-- sparse or mistyped.
select
    hardware_id,
    peak_fp16_tflops,
    peak_fp8_tflops
from out.hardware
where peak_fp8_tflops < peak_fp16_tflops
