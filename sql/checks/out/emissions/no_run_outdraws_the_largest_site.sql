-- No run may use more energy than the largest AI site of its time uses in 4,000 hours. 99 % of the known trainings
-- above 1e24 FLOP are shorter than that. Before 2020, the largest site had 76 MW.
with sites as (
    select
        status_date,
        max(power_mw) over (order by status_date) as largest_mw
    from raw.epoch_data_centers
    where power_mw is not null
)

select
    runs.run_id,
    runs.energy_mwh,
    greatest(coalesce(max(sites.largest_mw), 0), 76) * 4000 as largest_energy_mwh -- MW x h
from out.emissions as runs
left join sites on sites.status_date <= coalesce(runs.published_date, make_date(runs.run_year, 12, 31))
group by runs.run_id, runs.energy_mwh
having runs.energy_mwh > largest_energy_mwh
