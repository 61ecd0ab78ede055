-- Accelerators, the newest first, with the power that estimates take.
select
    h.hardware_id,
    h.name,
    h.manufacturer,
    h.released_date,
    h.tdp_w,
    h.peak_fp32_tflops,
    h.peak_fp16_tflops,
    h.peak_fp8_tflops,
    h.memory_gb,
    h.process_nm,
    h.source_id,
    d.watts_per_chip,
    d.watts_basis
from hardware as h left join hardware_power as d on h.hardware_id = d.hardware_id
order by h.released_date desc nulls last, h.hardware_id asc
