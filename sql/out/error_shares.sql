-- Which share of the error of each basis runs have in common, by the source of the error. One row per factor, basis and source.
-- The evidence is the intraclass correlation of held-out errors: the share of their variance that is between groups, by one-way
-- analysis of variance. Its interval is from the jackknife: each group left out in turn. Few groups make it wide.
-- A correlation with an interval of at most 0.6 is the share, of what is not common to all runs of the basis. Else the share is
-- the judgement of raw.error_shares. The run's own share is the rest.
with groups as (
    select
        factor,
        basis,
        error_source,
        error_key,
        count(*) as n,
        avg(log_ratio order by observation_id) as mean,
        sum(pow(log_ratio, 2) order by observation_id) as sum_of_squares
    from core.error_groups
    group by factor, basis, error_source, error_key
),

-- With all groups (left_out is null), and without each.
omitted as (
    select
        factor,
        basis,
        error_source,
        error_key
    from groups
    union all
    select distinct
        factor,
        basis,
        error_source,
        cast(null as varchar) as error_key
    from groups
),

samples as (
    select
        groups.*,
        omitted.error_key as left_out
    from groups
    inner join omitted
        on
            groups.factor = omitted.factor
            and groups.basis = omitted.basis
            and groups.error_source = omitted.error_source
            and groups.error_key is distinct from omitted.error_key
),

variances as (
    select
        factor,
        basis,
        error_source,
        left_out,
        sum(n) as n_observations,
        count(*) as group_count,
        sum(n * mean order by error_key) / sum(n) as overall_mean,
        (sum(n * pow(mean, 2) order by error_key) - sum(n) * pow(overall_mean, 2)) / nullif(count(*) - 1, 0) as between_groups,
        (sum(sum_of_squares order by error_key) - sum(n * pow(mean, 2) order by error_key)) / nullif(sum(n) - count(*), 0)
            as within_groups,
        (sum(n) - sum(pow(n, 2)) / sum(n)) / nullif(count(*) - 1, 0) as group_size
    from samples
    group by factor, basis, error_source, left_out
),

correlations as (
    select
        *,
        (between_groups - within_groups) / nullif(between_groups + (group_size - 1) * within_groups, 0) as correlation
    from variances
),

jackknife as (
    select
        factor,
        basis,
        error_source,
        sqrt((count(correlation) - 1) * var_pop(correlation order by left_out)) as standard_error
    from correlations
    where left_out is not null
    group by factor, basis, error_source
),

intervals as (
    select
        found.factor,
        found.basis,
        found.error_source,
        cast(found.n_observations as bigint) as n_observations,
        found.group_count,
        found.correlation,
        if(found.correlation is null, null, greatest(-1, found.correlation - z_90() * jackknife.standard_error))
            as correlation_p05,
        if(found.correlation is null, null, least(1, found.correlation + z_90() * jackknife.standard_error))
            as correlation_p95
    from correlations as found
    left join jackknife
        on
            found.factor = jackknife.factor
            and found.basis = jackknife.basis
            and found.error_source = jackknife.error_source
    where found.left_out is null
),

shared as (
    select
        stated.*,
        found.n_observations,
        found.group_count,
        found.correlation,
        found.correlation_p05,
        found.correlation_p95,
        coalesce(found.correlation_p95 - found.correlation_p05 <= 0.6, false) as is_measured,
        coalesce(
            max(stated.share_fraction) filter (where stated.error_source = 'basis')
                over (partition by stated.factor, stated.basis),
            0
        ) as common_fraction,
        if(is_measured, greatest(0, found.correlation) * (1 - common_fraction), stated.share_fraction) as source_fraction
    from raw.error_shares as stated
    left join intervals as found
        on
            stated.factor = found.factor
            and stated.basis = found.basis
            and stated.error_source = found.error_source
)

select
    factor,
    basis,
    error_source,
    if(
        error_source = 'own' and bool_or(is_measured) over by_basis,
        1 - sum(if(error_source = 'own', 0, source_fraction) order by error_source) over by_basis,
        source_fraction
    ) as share_fraction,
    if(is_measured or (error_source = 'own' and bool_or(is_measured) over by_basis), 'measured', 'judgement') as share_basis,
    n_observations,
    group_count,
    correlation,
    correlation_p05,
    correlation_p95,
    share_reason
from shared
window by_basis as (partition by factor, basis rows between unbounded preceding and unbounded following)
