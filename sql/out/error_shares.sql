-- Which share of the error of each basis runs have in common, by the source of the error. One row per factor, basis and source.
-- The evidence is the intraclass correlation of held-out errors: the share of their variance that is between groups, by one-way
-- analysis of variance. Its interval is from the jackknife: each group left out in turn. Few groups make it wide.
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
)

select
    shares.factor,
    shares.basis,
    shares.error_source,
    shares.share_fraction,
    cast(found.n_observations as bigint) as n_observations,
    found.group_count,
    found.correlation,
    if(found.correlation is null, null, greatest(-1, found.correlation - z_90() * jackknife.standard_error)) as correlation_p05,
    if(found.correlation is null, null, least(1, found.correlation + z_90() * jackknife.standard_error)) as correlation_p95,
    shares.share_reason
from raw.error_shares as shares
left join correlations as found
    on
        shares.factor = found.factor
        and shares.basis = found.basis
        and shares.error_source = found.error_source
        and found.left_out is null
left join jackknife
    on
        shares.factor = jackknife.factor
        and shares.basis = jackknife.basis
        and shares.error_source = jackknife.error_source
