-- Power and throughput of each accelerator at each operator that runs name. One row per power_no of names.
with accelerators as (
    select distinct
        power_no,
        hardware_id,
        is_ambiguous_hardware,
        provider
    from names
)

select
    accelerators.power_no,
    power.watts_per_chip,
    power_basis_of(power.watts_basis, power.measured_by, accelerators.provider) as basis,
    sqrt(
        pow(ln(if(basis = power.watts_basis, power.own_watts_gsd, power.watts_gsd)), 2)
        + if(accelerators.is_ambiguous_hardware, pow(gsds.ambiguous_variant, 2), 0)
    ) as watts_ln_gsd,
    exp(watts_ln_gsd) as watts_gsd,
    power.sustained_flop_per_s,
    power.mfu,
    power.source_url,
    power.source_locator,
    hardware.tdp_w,
    greatest(hardware.peak_fp8_tflops, hardware.peak_fp16_tflops, hardware.peak_fp32_tflops) * 1e12 -- TFLOP to FLOP
        as peak_flop_per_s
from accelerators
cross join gsds
left join hardware on accelerators.hardware_id = hardware.hardware_id
left join hardware_power as power on accelerators.hardware_id = power.hardware_id
