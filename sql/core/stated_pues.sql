-- PUE at the locations of other training runs. One row per run and year within two years of the run.
-- A location is looked up in that year: the nearest year of the site, else the operator. What a run states itself
-- comes first in its own year. In another year it is used only if nothing else is known of the location; factor_year
-- shows it. Hypothetical runs have no location.
-- A paper counts each of its locations once, however many runs it has there: stated_location is location and paper.
with runs as (
    select
        run_id,
        organisation,
        organisations,
        concat_ws(', ', coalesce(region, provider), source_url) as stated_location,
        provider,
        region,
        run_year,
        pue,
        source_title,
        source_url,
        source_locator,
        verified,
        unnest(range(run_year - 2, run_year + 3)) as year
    from core.training_runs
    where organisation is not null and covers is distinct from 'hypothetical'
),

known as (
    select
        run_id,
        year,
        if(run_year = year, 1, 4) as preference,
        pue,
        run_year as factor_year,
        source_title,
        source_url,
        source_locator,
        verified
    from runs
    where pue is not null
    union all
    select
        runs.run_id,
        runs.year,
        if(runs.region = years.region, 2, 3) as preference,
        years.pue,
        years.factor_year,
        years.source_title,
        years.source_url,
        years.source_locator,
        years.verified
    from runs
    inner join core.pue_years as years on runs.provider = years.provider and (runs.region = years.region or years.is_average)
    where years.quarter is null
)

select
    runs.run_id,
    runs.year,
    runs.organisation,
    runs.organisations,
    runs.stated_location,
    known.pue,
    known.factor_year,
    known.source_title,
    known.source_url,
    known.source_locator,
    known.verified
from runs
inner join known on runs.run_id = known.run_id and runs.year = known.year
qualify row_number() over (
    partition by runs.run_id, runs.year
    order by known.preference, abs(known.factor_year - runs.year), known.factor_year, known.source_url
) = 1
