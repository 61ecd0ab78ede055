-- An hourly series as running sums: one row per zone and hour, without holes, and one past the end. In whole nanograms, so that
-- a sum is exact and does not depend on the order of the rows.
with told as (
    select
        zone,
        hour_utc,
        cast(round(any_value(g_per_kwh) * 1e9) as bigint) as ng_per_kwh -- g to ng; equal where an hour is there twice
    from hours
    group by zone, hour_utc
),

zones as (
    select
        zone,
        min(hour_utc) as first_hour,
        max(hour_utc) + interval 1 hour as end_hour
    from told
    group by zone
),

grid as (
    select
        zone,
        unnest(generate_series(first_hour, end_hour, interval 1 hour)) as hour_utc
    from zones
)

select
    grid.zone,
    grid.hour_utc,
    told.ng_per_kwh,
    cast(coalesce(sum(told.ng_per_kwh) over hours_before, 0) as bigint) as ng_before,
    count(*) over hours_before - count(told.ng_per_kwh) over hours_before as unknown_before
from grid
left join told on grid.zone = told.zone and grid.hour_utc = told.hour_utc
window hours_before as (
    partition by grid.zone order by grid.hour_utc rows between unbounded preceding and 1 preceding
)
