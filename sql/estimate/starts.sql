-- When runs started: one row per cell that `start_cells` holds. A time of day is cut off, as frames write it beside a day.
with days as (
    select
        started as given_start,
        cast(started as varchar) as written,
        regexp_replace(trim(written), '[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}(:?\d{2})?)?$', '') as started_day,
        coalesce(try_strptime(started_day, '%Y-%m-%d'), try_strptime(started_day, '%Y-%m')) as typed_start,
        if(regexp_full_match(written, '\s*[0-9]{4}\s*'), cast(written as integer), null) as typed_year,
        coalesce(year(typed_start), typed_year, year(getvariable('today'))) as run_year
    from start_cells
)

select
    given_start,
    typed_start,
    run_year,
    -- Whether problems.sql may name the cell: true wherever it does, and perhaps elsewhere.
    coalesce(
        (given_start is not null and typed_start is null and typed_year is null)
        or typed_start > getvariable('today')
        or run_year > year(getvariable('today'))
        or run_year < (
            select min(cast(location_factors.period as integer))
            from location_factors
            where location_factors.factor = 'gross_kg_per_kwh'
        )
        or is_bad_text(written),
        false
    ) as is_doubtful_start,
    date_trunc('month', typed_start) as first_month,
    dense_rank() over (order by run_year, first_month) as period_no
from days
