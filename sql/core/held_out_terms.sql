-- Every observation as it would be estimated without it, without and with one more term. One row per factor, term, what is
-- left out and observation for which the feature is known. Slopes, shifts and origins are fitted without what is left out.
-- A slope is that of a straight line over the distance from the median of the chip's generation; without another run on it
-- there is no distance. A shift is the median of its level, drawn to none as if two observations more had none.
with observations as (
    select
        features.factor,
        features.term,
        residuals.held_out_scope,
        residuals.observation_id,
        residuals.other_id,
        residuals.is_left_out,
        features.feature_level,
        residuals.observed_log_ratio,
        features.known_log_ratio,
        residuals.observed_log_ratio - features.known_log_ratio as unknown_log_ratio,
        median(features.feature) filter (where not residuals.is_left_out) over (
            partition by
                features.factor, features.term, residuals.held_out_scope, residuals.observation_id, features.chip_generation
        ) as origin,
        features.feature - origin as distance
    from core.term_residuals as residuals
    inner join core.term_features as features
        on residuals.factor = features.factor and residuals.other_id = features.observation_id
),

slopes as (
    select
        factor,
        term,
        held_out_scope,
        observation_id,
        nullif(regr_slope(unknown_log_ratio, distance order by other_id), 'nan'::double) as slope -- where all are at one distance
    from observations
    where not is_left_out and distance is not null
    group by factor, term, held_out_scope, observation_id
),

shifts as (
    select
        factor,
        term,
        held_out_scope,
        observation_id,
        feature_level,
        count(*) * median(unknown_log_ratio) / (count(*) + 2) as shift
    from observations
    where not is_left_out and feature_level is not null
    group by factor, term, held_out_scope, observation_id, feature_level
),

gsds as (
    select
        factor,
        term,
        held_out_scope,
        observation_id,
        stddev_pop(shift order by feature_level) as spread
    from shifts
    group by factor, term, held_out_scope, observation_id
)

select
    own.factor,
    own.term,
    own.held_out_scope,
    own.observation_id,
    own.feature_level,
    coalesce(slopes.slope, gsds.spread) as effect_ln,
    own.known_log_ratio + coalesce(slopes.slope * own.distance, shifts.shift, 0) as term_log_ratio,
    own.observed_log_ratio as log_ratio_without,
    own.observed_log_ratio - term_log_ratio as log_ratio_with
from observations as own
left join slopes
    on
        own.factor = slopes.factor
        and own.term = slopes.term
        and own.held_out_scope = slopes.held_out_scope
        and own.observation_id = slopes.observation_id
left join gsds
    on
        own.factor = gsds.factor
        and own.term = gsds.term
        and own.held_out_scope = gsds.held_out_scope
        and own.observation_id = gsds.observation_id
left join shifts
    on
        own.factor = shifts.factor
        and own.term = shifts.term
        and own.held_out_scope = shifts.held_out_scope
        and own.observation_id = shifts.observation_id
        and own.feature_level = shifts.feature_level
where own.is_left_out
