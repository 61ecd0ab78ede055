-- Utilisation (MFU) that training runs reached, published or counted. One row per observation.
-- Counted: FLOP counted from the model, over disclosed chip-hours at the peak of the chip. FLOP that upstream worked
-- out from hardware and hours, in whole or in part, say nothing of utilisation and are left out. So are FLOP that come out at
-- exactly a utilisation that upstream assumes: some that are filed as counted were made from the hours.
with runs as (
    select
        runs.run_id,
        runs.organisations,
        runs.hardware_id,
        runs.covers,
        runs.hours_confidence,
        runs.training_flop,
        coalesce(runs.chip_hours, runs.chips * runs.training_hours) * 3600 as chip_seconds, -- hours to seconds
        coalesce(hardware.peak_fp16_tflops, hardware.peak_fp32_tflops) * 1e12 as peak_flop_per_s, -- TFLOP to FLOP
        runs.training_flop / (chip_seconds * peak_flop_per_s) as own_mfu
    from core.training_runs as runs
    left join core.hardware as hardware on runs.hardware_id = hardware.hardware_id
),

published as (
    select
        mfu.model || coalesce(', ' || mfu.run_id, '') || ', ' || mfu.source_locator as observation_id,
        mfu.run_id,
        runs.organisations,
        mfu.hardware_id,
        mfu.mfu,
        'published' as mfu_basis,
        mfu.precision,
        mfu.source_title,
        mfu.source_url,
        mfu.source_locator,
        mfu.verified
    from raw.mfu as mfu
    left join runs on mfu.run_id = runs.run_id
    where
        mfu.mfu_set = 'training_run'
        and mfu.precision is distinct from 'fp8'
        and (
            mfu.mfu_basis = 'model_flops'
            or (mfu.verified <> 'epoch' and mfu.mfu / runs.own_mfu between 0.95 and 1.05) -- the FLOP that the run has here
        )
    qualify
        row_number() over (
            partition by coalesce(mfu.run_id, mfu.model, mfu.source_locator)
            order by mfu.verified = 'epoch' asc, mfu.mfu_basis desc, mfu.source_url asc, mfu.source_locator asc
        ) = 1
),

counted as (
    select
        runs.run_id as observation_id,
        runs.run_id,
        runs.organisations,
        runs.hardware_id,
        runs.own_mfu as mfu,
        'counted' as mfu_basis,
        cast(null as varchar) as precision,
        upstream.source_title,
        upstream.source_url,
        upstream.source_locator,
        upstream.verified
    from runs
    inner join core.upstream_runs as upstream on runs.run_id = upstream.run_id and upstream.flop_basis = 'counted'
    where
        runs.covers = 'one_run'
        and runs.hours_confidence is null -- hours that its developer stated
        and runs.training_flop / upstream.training_flop between 0.9 and 1.1 -- the count is that of this row
        and runs.own_mfu >= 0.01 -- below, FLOP and hours are not of the same training
        and not is_assumed_mfu(runs.own_mfu)
        and runs.run_id not in (select coalesce(published.run_id, '') from published)
)

select
    observations.observation_id,
    observations.run_id,
    observations.organisations,
    observations.hardware_id,
    hardware.kind,
    observations.mfu,
    observations.mfu_basis,
    observations.precision,
    observations.source_title,
    observations.source_url,
    observations.source_locator,
    observations.verified
from (
    select *
    from published
    union all
    select *
    from counted
) as observations
inner join core.hardware as hardware on observations.hardware_id = hardware.hardware_id
