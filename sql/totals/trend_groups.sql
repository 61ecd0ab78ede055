-- The sets of runs that trends are about, by year of publication. One row per whole run and set.
with whole as (
    select
        runs.run_id,
        runs.solidity,
        year(runs.published_date) as published_year,
        row_number() over (partition by published_year order by runs.energy_mwh desc, runs.run_id asc) as energy_rank
    from emissions as runs
    inner join chosen on runs.run_id = chosen.run_id
    where runs.published_date is not null
),

sets as (
    select
        run_id,
        published_year,
        unnest(
            [
                'all_runs',
                solidity,
                if(solidity in ('measured', 'disclosed'), 'disclosed_runs', 'inferred_runs'),
                if(energy_rank <= 5, 'five_largest_runs', null)
            ]
        ) as run_set
    from whole
)

select
    run_id,
    published_year,
    run_set
from sets
where run_set is not null
