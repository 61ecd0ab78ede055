-- What widens the carbon intensity of a run beside the uncertainty of its basis. One row per run, as variances of the
-- logarithm.
-- Several locations: how far they are from each other. A site with power plants of its own: an unknown share of its
-- electricity is theirs. A start that is not stated: how the intensity of the country changes over the years in which the
-- run may have started, by the lags between start and publication of all runs that state both.
with lags as (
    select date_diff('day', strptime(started_month, '%Y-%m')::date, published_date) as lag_days
    from core.disclosed_runs
    where started_month is not null and published_date is not null
),

mixes as (
    select
        run_id,
        sum(weight_fraction * ln(value) order by location_id) as mean_ln_value,
        greatest(sum(weight_fraction * pow(ln(value), 2) order by location_id) - pow(mean_ln_value, 2), 0) as ln_variance
    from core.provider_mixes
    group by run_id
),

undated as (
    select
        runs.run_id,
        runs.run_year,
        coalesce(runs.site_country, string_split(runs.developer_country, ';')[1], 'WORLD') as country,
        runs.published_date
    from core.training_runs as runs
    where runs.started_month is null and runs.published_date is not null and runs.run_year is not null
),

starts as (
    select
        undated.run_id,
        undated.country,
        undated.run_year,
        year(undated.published_date - lags.lag_days::integer) as start_year,
        count(*) as weight
    from undated
    cross join lags
    group by undated.run_id, undated.country, undated.run_year, start_year
),

grids as (
    select
        region as country,
        year as factor_year,
        ln(carbon_intensity_g_per_kwh) as ln_intensity
    from core.grid_intensity
    where scheme = 'country' and intensity_basis = 'lifecycle' and carbon_intensity_g_per_kwh > 0
),

years as (
    select
        asked.country,
        asked.asked_year,
        grids.ln_intensity
    from (
        select distinct
            country,
            start_year as asked_year
        from starts
        union
        select distinct
            country,
            run_year as asked_year
        from starts
    ) as asked
    inner join grids on asked.country = grids.country
    qualify
        row_number() over (
            partition by asked.country, asked.asked_year
            order by abs(grids.factor_year - asked.asked_year), grids.factor_year
        ) = 1
),

dates as (
    select
        starts.run_id,
        sum(starts.weight * pow(start.ln_intensity - own.ln_intensity, 2) order by starts.start_year)
        / sum(starts.weight order by starts.start_year) as ln_variance
    from starts
    inner join years as start on starts.country = start.country and starts.start_year = start.asked_year
    inner join years as own on starts.country = own.country and starts.run_year = own.asked_year
    group by starts.run_id
),

sites as (
    select
        runs.run_id,
        any_value(plants.generation) as generation,
        any_value(pow(ln(method.gsd), 2)) as ln_variance
    from core.training_runs as runs
    inner join raw.onsite_generation as plants
        on runs.site = plants.site and runs.run_year >= plants.from_year
    inner join core.method as method on method.factor = 'gross_kg_per_kwh' and method.basis = 'onsite_generation'
    group by runs.run_id
)

select
    runs.run_id,
    coalesce(mixes.ln_variance, 0) as mix_ln_variance,
    coalesce(dates.ln_variance, 0) as start_ln_variance,
    coalesce(sites.ln_variance, 0) as onsite_ln_variance,
    sites.generation
from core.training_runs as runs
left join mixes on runs.run_id = mixes.run_id
left join dates on runs.run_id = dates.run_id
left join sites on runs.run_id = sites.run_id
