-- The grids of the countries of one run's developer, each of the year nearest to the run's. One row per country.
with countries as (
    select
        run_year,
        unnest(string_split(developer_country, ';')) as country
    from out.training_runs
    where run_id = getvariable('run_id')
)

select
    countries.country || ' ' || grids.year as name,
    grids.carbon_intensity_g_per_kwh / 1000 as value, -- g to kg
    'kg/kWh' as unit,
    grids.source_id,
    grids.source_title,
    grids.source_url,
    grids.source_locator,
    grids.verified,
    1 / count(*) over () as weight_fraction
from (
    select
        countries.country,
        any_value(countries.run_year) as run_year
    from countries
    group by countries.country
) as countries
inner join lateral (
    select near.*
    from out.grid_intensity as near
    where near.scheme = 'country' and near.intensity_basis = 'lifecycle' and countries.country = near.region
    order by abs(near.year - countries.run_year), near.year
    limit 1
) as grids on true
