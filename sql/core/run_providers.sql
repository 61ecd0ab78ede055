-- Operators of the data centers that a run may have used. One row per run and operator.
-- What is stated for the run comes first; else what a source names for its organisation in that year: its own data
-- centers or main operator, else all of several. A run or an operator may come with a location: where the organisation
-- trains with that operator.
with stated as (
    select
        run_id,
        provider
    from core.training_runs
    where provider is not null
    union
    select
        run_id,
        provider
    from raw.run_locations
    where provider is not null
),

of_organisations as (
    select
        runs.run_id,
        known.provider,
        known.provider_role,
        coalesce(known.cloud_region, 'site:' || known.site, known.site_country) as location_id,
        known.source_title,
        known.source_url,
        known.source_locator,
        known.verified
    from core.training_runs as runs
    inner join raw.organisation_providers as known
        on
            runs.organisation = known.organisation
            and runs.run_year between known.from_year and coalesce(known.to_year, runs.run_year)
    qualify
        row_number() over (partition by runs.run_id, known.provider order by known.provider_role = 'part', known.from_year) = 1
),

main as (
    select *
    from of_organisations
    where run_id not in (select stated.run_id from stated)
    qualify
        provider_role <> 'part'
        or not bool_or(provider_role <> 'part') over (partition by run_id)
)

select
    stated.run_id,
    stated.provider,
    'stated' as provider_basis,
    coalesce(places.site_country, known.location_id) as location_id
from stated
inner join core.training_runs as runs on stated.run_id = runs.run_id
left join raw.run_locations as places
    on stated.run_id = places.run_id and stated.provider = places.provider and runs.provider is null
left join of_organisations as known on stated.run_id = known.run_id and stated.provider = known.provider
union all
select
    run_id,
    provider,
    'organisation' as provider_basis,
    location_id
from main
