-- A dense peak does not fall with the width of the number; where FP8 is below FP16, one of them is sparse or mistyped.
select
    hardware_id,
    peak_fp16_tflops,
    peak_fp8_tflops
from out.hardware
where peak_fp8_tflops < peak_fp16_tflops
