-- The groups that runs are summed in. One row per run and group; a run of several domains is in each of them.
-- The country is that of the developer that is named first, as the organisation is.
with countries as (
    select
        runs.run_id,
        developers.developer_country as country
    from emissions as runs
    inner join organisations as developers on trim(string_split(runs.developer, ';')[1]) = developers.developer_name
),

groups as (
    select
        run_id,
        'all' as group_kind,
        'all' as group_value
    from emissions
    union all
    select
        run_id,
        'published_year' as group_kind,
        cast(year(published_date) as varchar) as group_value
    from emissions
    union all
    select
        run_id,
        'run_year' as group_kind,
        cast(run_year as varchar) as group_value
    from emissions
    union all
    select
        run_id,
        'organisation' as group_kind,
        organisation as group_value
    from emissions
    union all
    select
        run_id,
        'country' as group_kind,
        country as group_value
    from countries
    union all
    select
        run_id,
        'domain' as group_kind,
        unnest(words_of(domain)) as group_value
    from emissions
    union all
    select
        run_id,
        'solidity' as group_kind,
        solidity as group_value
    from emissions
)

select
    run_id,
    group_kind,
    group_value
from groups
where group_value is not null
