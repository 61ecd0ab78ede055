-- Training runs with chip, operator, location and year resolved. One row per run; changes no disclosed value.
-- A run starts in its stated month, else the usual lag (median of the dated runs) before publication.
-- The country of the developer is what the curated facts state of the run, else the mapping's, else upstream's.
-- Hours that count as published are the developer's, in its own text or quoted by others, unless raw.run_statements
-- says that somebody else stated them.
-- A location that the source of a run does not state may be stated elsewhere: raw.run_locations. A run that used several
-- operators has none of them here.
-- TPUs run in Google's data centres only, so an unnamed operator of a TPU is Google. Of several accelerators the
-- first named counts, or the first with a published rating, and the run counts as ambiguous, as does one that names none.
with usual as (
    select median(date_diff('day', strptime(started_month, '%Y-%m')::date, published_date)) as lag_days
    from core.disclosed_runs
),

dated as (
    select
        runs.run_id,
        coalesce(
            strptime(runs.started_month, '%Y-%m')::date,
            runs.published_date - (usual.lag_days)::integer
        ) as started_date
    from core.disclosed_runs as runs
    cross join usual
),

spellings as (
    select
        run_id,
        unnest(string_split(hardware, ',')) as spelling,
        unnest(range(len(string_split(hardware, ',')))) as location
    from core.disclosed_runs
),

named as (
    select
        spellings.run_id,
        aliases.hardware_id,
        aliases.is_ambiguous,
        hardware.kind
    from spellings
    left join core.hardware_aliases as aliases on spelling_key(spellings.spelling) = aliases.alias_key
    left join core.hardware as hardware on aliases.hardware_id = hardware.hardware_id
    qualify
        row_number() over (
            partition by spellings.run_id
            order by hardware.hardware_id is not null and hardware.tdp_w is null, spellings.location
        ) = 1
),

stated_elsewhere as (
    select
        run_id,
        any_value(provider) as provider,
        any_value(cloud_region) as cloud_region,
        any_value(site) as site,
        any_value(site_country) as site_country
    from raw.run_locations
    group by run_id
    having count(*) = 1
),

located as (
    select
        runs.run_id,
        coalesce(runs.provider, elsewhere.provider) as provider,
        coalesce(runs.cloud_region, elsewhere.cloud_region) as cloud_region,
        coalesce(runs.site, elsewhere.site) as site,
        coalesce(runs.site_country, elsewhere.site_country) as site_country
    from core.disclosed_runs as runs
    left join stated_elsewhere as elsewhere on runs.run_id = elsewhere.run_id
)

select
    runs.run_id,
    runs.model,
    runs.developer,
    developers.organisation,
    developers.organisations,
    coalesce(curated.developer_country, developers.developer_country, runs.developer_country) as developer_country,
    runs.published_date,
    runs.domain,
    coalesce(runs.covers, 'one_run') as covers,
    runs.parameters,
    coalesce(runs.active_parameters, sparse.active_parameters) as active_parameters,
    runs.training_flop,
    runs.flop_confidence,
    runs.hardware,
    named.hardware_id,
    coalesce(named.is_ambiguous, true) or contains(runs.hardware, ',') as is_ambiguous_hardware,
    runs.chips,
    runs.training_hours,
    runs.chip_hours,
    runs.hours_confidence,
    case
        when coalesce(runs.chip_hours, runs.chips * runs.training_hours) is null then null
        when runs.hours_confidence is not null then 'third_party'
        else coalesce(statements.hours_stated_by, if(runs.verified = 'primary', 'developer', 'developer_quoted'))
    end as hours_stated_by,
    statements.assumption,
    runs.mfu,
    runs.watts_per_chip,
    runs.power_basis,
    runs.started_month,
    year(dated.started_date) as run_year,
    runs.location,
    coalesce(located.provider, regions.provider, if(named.kind = 'tpu', 'Google', null)) as provider,
    located.cloud_region,
    located.site,
    coalesce(located.cloud_region, 'site:' || located.site) as region,
    coalesce(located.site_country, regions.country) as site_country,
    runs.pue,
    runs.gross_kg_per_kwh,
    runs.net_kg_per_kwh,
    runs.source_title,
    runs.source_url,
    runs.source_locator,
    runs.verified
from core.disclosed_runs as runs
inner join dated on runs.run_id = dated.run_id
inner join located on runs.run_id = located.run_id
left join named on runs.run_id = named.run_id
left join core.developers as developers on runs.developer = developers.developer
left join raw.run_statements as statements on runs.run_id = statements.run_id
left join raw.active_parameters as sparse on runs.run_id = sparse.run_id
left join raw.training_runs as curated on runs.run_id = curated.run_id
left join raw.regions as regions
    on coalesce(located.cloud_region, 'site:' || located.site) = regions.region
