-- Upstream models whose facts contradict each other or physics. One row per model and failed check. They get no
-- estimate, because it is not known which fact is wrong.
with hours as (
    select
        run_id,
        chip_hours,
        chips * training_hours as product_hours,
        chip_hours / product_hours as stated_over_product_ratio
    from core.upstream_runs
    where chip_hours is not null and chips is not null and training_hours is not null
),

peaks as (
    select
        runs.run_id,
        max(
            greatest(
                coalesce(hardware.peak_fp16_tflops, 0),
                coalesce(hardware.peak_fp8_tflops, 0),
                coalesce(hardware.peak_tf32_tflops, 0),
                coalesce(hardware.peak_fp32_tflops, 0)
            )
        ) as peak_tflops
    from (
        select
            run_id,
            unnest(words_of(hardware)) as spelling
        from core.upstream_runs
    ) as runs
    inner join core.hardware_aliases as aliases on spelling_key(runs.spelling) = aliases.alias_key
    inner join core.hardware as hardware on aliases.hardware_id = hardware.hardware_id
    group by runs.run_id
),

speeds as (
    select
        runs.run_id,
        runs.training_flop,
        coalesce(runs.chip_hours, runs.chips * runs.training_hours) as used_chip_hours,
        used_chip_hours * 3600 as chip_seconds, -- hours to seconds
        runs.training_flop / (chip_seconds * peaks.peak_tflops * 1e12) as needed_mfu -- TFLOP to FLOP
    from core.upstream_runs as runs
    inner join peaks on runs.run_id = peaks.run_id
    where peaks.peak_tflops > 0
)

select
    runs.run_id,
    runs.model,
    'chip_hours_contradict' as check_name,
    hours.stated_over_product_ratio as value,
    format(
        '{:.4g} stated chip-hours are {:.3g} times the {:.4g} of chips x hours', hours.chip_hours,
        hours.stated_over_product_ratio, hours.product_hours
    ) || ' (limit 1.5 times): hours of one chip given as all, chips counted twice, or cores for chips; state the right ones '
    || 'with their source in warehouse/reference/training_runs.csv' as message
from hours
inner join core.upstream_runs as runs on hours.run_id = runs.run_id
where hours.stated_over_product_ratio not between 1 / 1.5 and 1.5
union all
select
    runs.run_id,
    runs.model,
    'mfu_above_one' as check_name,
    speeds.needed_mfu as value,
    format(
        '{:.3g} FLOP in {:.4g} chip-hours need {:.3g} times the peak of its chip', speeds.training_flop,
        speeds.used_chip_hours, speeds.needed_mfu
    ) || ' (limit 1): check FLOP, chips and hours; state the right ones with their source in '
    || 'warehouse/reference/training_runs.csv' as message
from speeds
inner join core.upstream_runs as runs on speeds.run_id = runs.run_id
where speeds.needed_mfu > 1
