-- What a whole project used over its final run, as the projects that published it have it. One row.
-- A ratio cannot be below 1, so what is above 1 is lognormal. Each project counts once, and its error is the distance from the
-- mean of the others.
with projects as (
    select
        overhead_id,
        ln(overhead_ratio - 1) as ln_above_one
    from raw.project_overheads
    where overhead_kind = 'whole_project'
),

held_out as (
    select
        truth.overhead_id,
        any_value(truth.ln_above_one) - avg(others.ln_above_one order by others.overhead_id) as log_error
    from projects as truth
    inner join projects as others on truth.overhead_id <> others.overhead_id
    group by truth.overhead_id
)

select
    1 + exp(avg(projects.ln_above_one order by projects.overhead_id)) as overhead_ratio,
    calibrated_gsd(list(held_out.log_error order by held_out.overhead_id)) as fitted_gsd,
    count(*) as n_observations,
    'geometric mean of what is above 1 over ' || count(*) || ' projects: '
    || string_agg(projects.overhead_id, ', ' order by projects.overhead_id) as source_locator
from projects
inner join held_out on projects.overhead_id = held_out.overhead_id
