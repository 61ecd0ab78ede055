-- What is wrong with an hourly series: one row per row of the file and column. Local clocks skip an hour in spring and double one
-- in autumn, so a series in local time is refused where it shows.
with clock_changes as ( -- Sundays on which clocks change, in Europe, America, Australia or New Zealand
    select *
    from hours
    where
        dayofweek(hour_utc) = 0
        and case month(hour_utc)
            when 3 then day(hour_utc) between 8 and 14 or day(hour_utc) >= 25
            when 9 then day(hour_utc) >= 24
            when 10 then day(hour_utc) <= 7 or day(hour_utc) >= 25
            when 4 then day(hour_utc) <= 7
            when 11 then day(hour_utc) <= 7
            else false
        end
        and hour(hour_utc) <= 4
),

in_order as (
    select
        *,
        lag(hour_utc) over hours_of_zone as hour_before,
        lag(g_per_kwh) over hours_of_zone as g_per_kwh_before,
        lag(row_number) over hours_of_zone as row_before
    from hours
    where zone is not null and hour_utc is not null
    window hours_of_zone as (partition by zone order by hour_utc, row_number)
),

scales as (
    select
        zone,
        min(row_number) as row_number,
        max(g_per_kwh) as most_g_per_kwh
    from hours
    where zone is not null
    group by zone
)

select
    row_number,
    line,
    'zone' as column_name,
    coalesce('''' || given_zone || '''', 'empty')
    || ': expected the code of a cloud region, state or country, such as us-central1, US-TX or DE' as message
from hours
where zone is null
union all
select
    row_number,
    line,
    'hour_utc' as column_name,
    coalesce('''' || given_hour || '''', 'empty')
    || case
        when is_local
            then ': a local time; expected UTC, such as 2024-03-01T14:00Z, because local clocks skip an hour in spring'
        when has_minutes then ': expected a whole hour in UTC, such as 2024-03-01T14:00Z'
        else ': expected an hour in UTC from 2000 on, such as 2024-03-01T14:00Z'
    end as message
from hours
where hour_utc is null
union all
select
    row_number,
    line,
    'carbon_intensity_g_per_kwh' as column_name,
    case
        when is_unread_number then '''' || given_g_per_kwh || ''': expected a number, or nothing where it is not known'
        when g_per_kwh < 0 then given_g_per_kwh || ': expected 0 or more'
        else given_g_per_kwh || ': no grid emits more than 1400 g CO2e per kWh; is it per MWh?'
    end as message
from hours
where is_unread_number or g_per_kwh < 0 or g_per_kwh > 1400
union all
select
    hours.row_number,
    hours.line,
    'carbon_intensity_g_per_kwh' as column_name,
    format('zone {} has at most {:g}: it looks like kg per kWh; multiply by 1000', hours.zone, scales.most_g_per_kwh) as message
from scales
inner join hours on scales.row_number = hours.row_number
where scales.most_g_per_kwh > 0 and scales.most_g_per_kwh < 1.5
union all
select
    row_number,
    line,
    'hour_utc' as column_name,
    format(
        'zone {} has {} twice: {} here and {} in row {}; expected one value for each hour. Local clocks double an hour in '
        || 'autumn: write UTC',
        zone, strftime(hour_utc, '%Y-%m-%d %H:00'), coalesce(format('{:g}', g_per_kwh), 'nothing'),
        coalesce(format('{:g}', g_per_kwh_before), 'nothing'), row_before
    ) as message
from in_order
where hour_utc = hour_before and g_per_kwh is distinct from g_per_kwh_before
union all
select
    in_order.row_number,
    in_order.line,
    'hour_utc' as column_name,
    format(
        'zone {} lacks the hour {} alone, in which clocks change: it looks like local time; write UTC. If the value of this '
        || 'hour is not known, write the hour with an empty value',
        in_order.zone, strftime(in_order.hour_before + interval 1 hour, '%Y-%m-%d %H:00')
    ) as message
from in_order
inner join clock_changes on in_order.row_number = clock_changes.row_number
where in_order.hour_utc = in_order.hour_before + interval 2 hour
order by all
