-- The hours of a user's own series, typed: one row per row of the file. What cannot be read is null here and a sentence in
-- hour_problems. A zone is the region, state or country of the same code.
with zones as (
    select
        upper(trim(code)) as zone_key,
        min(code) as zone
    from (
        select region as code from regions
        union
        select state as code from states
        union
        select country as code from countries
    ) as codes
    group by zone_key
),

-- Each distinct time once: a series has as many zones for each.
times as (
    select
        given_hour,
        try_strptime(parts['day'] || ' ' || parts['hour'], '%Y-%m-%d %H') as typed_hour,
        not regexp_full_match(parts['minutes'], '[:0.]*') as has_minutes,
        not regexp_full_match(parts['time_zone'], 'Z|UTC|[+-]00:?(00)?|') as is_local,
        if(has_minutes or is_local or year(typed_hour) not between 2000 and 2100, null, typed_hour) as hour_utc
    from (
        select
            hour_utc as given_hour,
            regexp_extract(
                cast(hour_utc as varchar),
                '^\s*(\d{4}-\d{2}-\d{2})[ T](\d{2})(:\d{2}(?::\d{2}(?:\.\d+)?)?)?\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?\s*$',
                ['day', 'hour', 'minutes', 'time_zone']
            ) as parts
        from hour_cells
        group by hour_utc
    ) as given_hours
),

numbers as (
    select
        *,
        try_cast(carbon_intensity_g_per_kwh as double) as written_g_per_kwh,
        carbon_intensity_g_per_kwh is not null and (written_g_per_kwh is null or isinf(written_g_per_kwh)) as is_unread_number,
        number_of(written_g_per_kwh) as g_per_kwh -- unknown where the cell is empty or NaN
    from hour_cells
)

select
    numbers.row_number,
    numbers.line,
    numbers.zone as given_zone,
    numbers.hour_utc as given_hour,
    numbers.carbon_intensity_g_per_kwh as given_g_per_kwh,
    zones.zone,
    times.typed_hour,
    times.has_minutes,
    times.is_local,
    times.hour_utc,
    numbers.is_unread_number,
    numbers.g_per_kwh
from numbers
inner join times on numbers.hour_utc is not distinct from times.given_hour
left join zones on upper(trim(numbers.zone)) = zones.zone_key
