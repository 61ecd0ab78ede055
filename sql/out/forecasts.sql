-- Estimates of earlier releases beside what was published afterwards. One row per published figure.
-- The estimates of the first check are in blind_hours.csv; each release adds those of what is not published yet
-- (support.open_forecasts). An estimate stays as the release made it that was the last before the figure.
with estimates as (
    select
        run_id,
        quantity,
        estimate,
        p05,
        p95,
        estimated_in
    from raw.forecasts
    union all
    select
        run_id,
        'chip_hours' as quantity,
        estimated_chip_hours as estimate,
        estimated_chip_hours / pow(gsd, z_90()) as p05,
        estimated_chip_hours * pow(gsd, z_90()) as p95,
        estimated_in
    from raw.blind_hours
    where compared = 'independent'
)

select
    estimates.run_id,
    estimates.quantity,
    estimates.estimate,
    estimates.p05,
    estimates.p95,
    estimates.estimated_in,
    published.published_value,
    estimates.estimate / published.published_value as estimate_to_published_ratio,
    published.published_value between estimates.p05 and estimates.p95 as inside_interval,
    source_id(published.source_url) as source_id,
    published.source_title,
    published.source_url,
    published.source_locator
from estimates
inner join support.published_quantities as published
    on estimates.run_id = published.run_id and estimates.quantity = published.quantity
