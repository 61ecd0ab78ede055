-- Accelerator-hours of each run, on every basis that its facts allow. One row per run and basis.
-- Hours that no developer is known to have stated are a third party's, and as sure as it is of its record.
-- Where no accelerator is named, the geometric mean over those that it may have used, by their shares: flop_by_developer
-- where other runs of its developer tell them, flop_by_era where only those of others do.
select
    run_id,
    'disclosed' as basis,
    chip_hours as value,
    run_year as factor_year,
    source_title,
    source_url,
    source_locator,
    verified
from core.training_runs
where chip_hours is not null and hours_confidence is null
union all
select
    run_id,
    'chips_x_hours' as basis,
    chips * training_hours as value,
    run_year as factor_year,
    source_title,
    source_url,
    source_locator,
    verified
from core.training_runs
where chips is not null and training_hours is not null and hours_confidence is null
union all
select
    run_id,
    'third_party_' || hours_confidence as basis,
    coalesce(chip_hours, chips * training_hours) as value,
    run_year as factor_year,
    source_title,
    source_url,
    source_locator,
    verified
from core.training_runs
where coalesce(chip_hours, chips * training_hours) is not null and hours_confidence is not null
union all
select
    runs.run_id,
    'flop_over_throughput' as basis,
    runs.training_flop / throughput.sustained_flop_per_s / 3600 as value, -- seconds to hours
    runs.run_year as factor_year,
    runs.source_title,
    runs.source_url,
    runs.source_locator,
    runs.verified
from core.training_runs as runs
inner join core.throughput as throughput on runs.hardware_id = throughput.hardware_id
where runs.training_flop is not null
union all
select
    runs.run_id,
    if(mix.developer_run_count > 0, 'flop_by_developer', 'flop_by_era') as basis,
    exp(
        sum(
            mix.share_fraction * ln(runs.training_flop / throughput.sustained_flop_per_s / 3600) -- seconds to hours
            order by mix.hardware_id
        )
        / sum(mix.share_fraction order by mix.hardware_id)
    ) as value,
    runs.run_year as factor_year,
    runs.source_title,
    runs.source_url,
    runs.source_locator,
    runs.verified
from core.training_runs as runs
inner join core.hardware_mix as mix on runs.run_id = mix.run_id
inner join core.throughput as throughput on mix.hardware_id = throughput.hardware_id
where runs.hardware_id is null and runs.training_flop is not null
group by
    runs.run_id, mix.developer_run_count, runs.run_year, runs.source_title, runs.source_url, runs.source_locator, runs.verified
