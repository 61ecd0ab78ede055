-- The most energy that each run can have used: what its site, if that is known, could use until publication, and no more than
-- the longest known training at full power; else the largest known site of that day for the longest known training. One row
-- per run with a day of publication.
-- The list of sites begins with the first large ones; before it, the power of the first counts. Power counts from the day on
-- which it is reported, and never falls. Plans do not count: no run is published after them.
with sites as (
    select
        site_title,
        status_date,
        max(power_mw) over (partition by site_title order by status_date) as power_mw,
        max(power_mw) over (order by status_date) as largest_power_mw
    from raw.epoch_data_centers
    where power_mw > 0
),

first_site as (
    select arg_min(largest_power_mw, status_date) as power_mw
    from sites
),

-- Only of large trainings: a small one may run for years on one chip.
longest as (
    select max(training_hours) as hours
    from core.training_runs
    where training_flop >= 1e24 and hours_confidence is null and covers = 'one_run'
),

largest as (
    select
        runs.run_id,
        coalesce(max(sites.largest_power_mw), any_value(first_site.power_mw)) as power_mw
    from core.training_runs as runs
    cross join first_site
    left join sites on runs.published_date >= sites.status_date
    where runs.published_date is not null
    group by runs.run_id
),

-- The power of a site from each date to the next one, or to the day of publication.
site_steps as (
    select
        runs.run_id,
        named.site_title,
        sites.power_mw,
        sites.power_mw * 24 -- days to hours
        * date_diff(
            'day',
            sites.status_date,
            coalesce(
                lead(sites.status_date) over (partition by runs.run_id order by sites.status_date), runs.published_date
            )
        ) as energy_mwh
    from raw.training_sites as named
    inner join core.training_runs as runs on named.run_id = runs.run_id
    inner join sites on named.site_title = sites.site_title and runs.published_date > sites.status_date
),

known_sites as (
    select
        run_id,
        any_value(site_title) as site_title,
        max(power_mw) as power_mw,
        sum(energy_mwh order by power_mw, energy_mwh) as energy_mwh
    from site_steps
    group by run_id
)

select
    largest.run_id,
    if(known_sites.run_id is null, 'largest_known_site', 'known_site') as bound_basis,
    known_sites.site_title,
    coalesce(known_sites.power_mw, largest.power_mw) as bound_power_mw,
    longest.hours as bound_training_hours,
    least(bound_power_mw * bound_training_hours, coalesce(known_sites.energy_mwh, bound_power_mw * bound_training_hours))
        as bound_mwh
from largest
cross join longest
left join known_sites on largest.run_id = known_sites.run_id
where bound_mwh > 0
