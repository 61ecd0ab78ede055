-- Values of the terms that an estimator could also use. One row per factor, term and observation for which the value
-- is known.
-- A slope depends on a number (feature: the year, ln chips), a shift on a category (level: the format, the domain).
-- number_format_peak also has a ratio that is known before any fit: the peak of the run's own format over the 16-bit peak.
-- To test another term, add a select.
select
    'chip_hours' as factor,
    'run_year' as term,
    observation_id,
    chip_generation,
    run_year as feature,
    cast(null as varchar) as feature_level,
    0 as known_log_ratio
from core.mfu_features
where is_fitted and run_year is not null
union all
select
    'chip_hours' as factor,
    'chips' as term,
    observation_id,
    chip_generation,
    ln(chips) as feature,
    cast(null as varchar) as feature_level,
    0 as known_log_ratio
from core.mfu_features
where is_fitted and chips is not null
union all
select
    'chip_hours' as factor,
    'domain' as term,
    observation_id,
    chip_generation,
    cast(null as double) as feature,
    domain as feature_level,
    0 as known_log_ratio
from core.mfu_features
where is_fitted and domain is not null
union all
select
    'chip_hours' as factor,
    'number_format' as term,
    observation_id,
    chip_generation,
    cast(null as double) as feature,
    precision as feature_level,
    0 as known_log_ratio
from core.mfu_features
where precision is not null
union all
select
    'chip_hours' as factor,
    'number_format_peak' as term,
    observation_id,
    chip_generation,
    cast(null as double) as feature,
    precision as feature_level,
    ln(format_peak_ratio) as known_log_ratio
from core.mfu_features
where precision is not null and format_peak_ratio is not null
union all
select
    'watts_per_chip' as factor,
    'chips' as term,
    power_id(hardware_id, system, workload) as observation_id,
    chip_family(hardware_id) as chip_generation,
    ln(chips) as feature,
    cast(null as varchar) as feature_level,
    0 as known_log_ratio
from core.power_observations
where chips is not null
union all
select
    'watts_per_chip' as factor,
    'cooling' as term,
    power_id(hardware_id, system, workload) as observation_id,
    chip_family(hardware_id) as chip_generation,
    cast(null as double) as feature,
    cooling as feature_level,
    0 as known_log_ratio
from core.power_observations
where cooling is not null
union all
select
    'watts_per_chip' as factor,
    'workload' as term,
    power_id(hardware_id, system, workload) as observation_id,
    chip_family(hardware_id) as chip_generation,
    cast(null as double) as feature,
    case
        when regexp_matches(lower(workload), 'resnet|ssd|retinanet|unet3d|stable.diffusion') then 'vision'
        when workload = 'dlrm_dcnv2' then 'recommendation'
        else 'language'
    end as feature_level,
    0 as known_log_ratio
from core.power_observations
