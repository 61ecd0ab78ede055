-- The runs, with the intensity of the hours in which they ran where the user's own series has their zone: the mean over the time
-- of the run, a begun hour by its share. It is null where the series lacks an hour of the run: equi-joins find no sum there, but
-- an ASOF join would take the last one. A run without a zone of the series, a time or a length keeps the intensity of its year.
with timed as (
    select
        runs.*,
        hour_zones.zone as hour_zone,
        cast(runs.given_start as varchar) as written_start,
        hour_zones.zone is not null and runs.gross_basis is null and runs.hours_long between 1e-9 and 1e6
            as may_be_by_the_hour,
        may_be_by_the_hour and is_time_without_zone(written_start) as has_time_without_zone,
        if(may_be_by_the_hour, instant_of(written_start), null) as start_utc,
        cast(round(if(may_be_by_the_hour, runs.hours_long, null) * 3.6e9) as bigint) as us_long, -- hours to microseconds
        start_utc + to_microseconds(us_long) as end_utc
    from yearly_runs as runs
    left join hour_zones on coalesce(runs.cloud_region, runs.site_state, runs.site_country) = hour_zones.zone
),

edges as (
    select
        *,
        date_trunc('hour', start_utc) as first_hour,
        date_trunc('hour', end_utc) as last_hour,
        epoch_us(start_utc) - epoch_us(first_hour) as us_before_start,
        epoch_us(end_utc) - epoch_us(last_hour) as us_of_last_hour
    from timed
),

summed as (
    select
        edges.*,
        last.unknown_before - first.unknown_before + cast(edges.us_of_last_hour > 0 and last.ng_per_kwh is null as bigint)
            as unknown_hours,
        cast(last.ng_before - first.ng_before as hugeint) * 3600000000 -- us of an hour
        + cast(coalesce(last.ng_per_kwh, 0) as hugeint) * edges.us_of_last_hour
        - cast(first.ng_per_kwh as hugeint) * edges.us_before_start as ng_us_per_kwh
    from edges
    left join hour_sums as first on edges.hour_zone = first.zone and edges.first_hour = first.hour_utc
    left join hour_sums as last on edges.hour_zone = last.zone and edges.last_hour = last.hour_utc
)

select
    * exclude (
        hour_zone, written_start, may_be_by_the_hour, start_utc, end_utc, first_hour, last_hour, us_before_start, us_of_last_hour,
        us_long, unknown_hours, ng_us_per_kwh
    )
    replace (
        if(
            start_utc is null,
            gross_kg_per_kwh,
            if(unknown_hours = 0, cast(ng_us_per_kwh as double) / us_long / 1e12, null) -- ng to kg
        ) as gross_kg_per_kwh,
        case
            when start_utc is null then gross_basis
            when unknown_hours = 0 then 'given_hours'
            else 'missing_hours'
        end as gross_basis
    )
from summed
