-- What may bear on utilisation beside the accelerator, where it is known. One row per observation of utilisation.
-- All utilisations are of the 16-bit peak, so that formats compare. Runs in FP8 whose peak is stated are converted to it; the
-- estimator leaves them out (is_fitted is false), but they tell what the format does.
with published_fp8 as (
    select
        mfu.model || coalesce(', ' || mfu.run_id, '') || ', ' || mfu.source_locator as observation_id,
        mfu.run_id,
        mfu.hardware_id,
        mfu.precision,
        mfu.mfu * mfu.used_peak_tflops / hardware.peak_fp16_tflops as mfu
    from raw.mfu as mfu
    inner join core.hardware as hardware on mfu.hardware_id = hardware.hardware_id
    where
        mfu.mfu_set = 'training_run'
        and mfu.precision = 'fp8'
        and mfu.mfu_basis = 'model_flops'
        and mfu.used_peak_tflops is not null
        and coalesce(mfu.run_id, '') not in (select coalesce(known.run_id, '') from core.flop_observations as known)
    qualify row_number() over (partition by coalesce(mfu.run_id, mfu.model) order by mfu.source_locator) = 1
),

observations as (
    select
        observation_id,
        run_id,
        hardware_id,
        precision,
        mfu,
        true as is_fitted
    from core.flop_observations
    union all
    select
        observation_id,
        run_id,
        hardware_id,
        precision,
        mfu,
        false as is_fitted
    from published_fp8
),

listed as (
    select
        ids.run_id,
        nullif(lower(models.precision), 'unknown') as precision
    from raw.epoch_models as models
    inner join core.model_ids as ids on models.model = ids.upstream_name
)

select
    observations.observation_id,
    observations.run_id,
    runs.organisations,
    observations.hardware_id,
    chip_family(observations.hardware_id) as chip_generation,
    observations.is_fitted,
    observations.mfu,
    runs.run_year,
    runs.chips,
    runs.domain,
    coalesce(observations.precision, listed.precision) as precision,
    case coalesce(observations.precision, listed.precision)
        when 'fp8' then hardware.peak_fp8_tflops
        when 'tf32' then hardware.peak_tf32_tflops
        when 'fp32' then hardware.peak_fp32_tflops
        else coalesce(hardware.peak_fp16_tflops, hardware.peak_fp32_tflops)
    end
    / coalesce(hardware.peak_fp16_tflops, hardware.peak_fp32_tflops) as format_peak_ratio
from observations
inner join core.hardware as hardware on observations.hardware_id = hardware.hardware_id
left join core.training_runs as runs on observations.run_id = runs.run_id
left join listed on observations.run_id = listed.run_id
