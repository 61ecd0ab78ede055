-- Training runs as published. One row per run, from one source.
-- A curated row replaces the upstream row as a whole, so that chips of one source are never combined with hours of
-- another. Only descriptions of the model (developer, country, date, domain, parameters) are filled in from upstream.
-- Upstream models that failed a check are left out.
-- Upstream does not separate hours that developers stated from hours that it estimated. Hours that only upstream has
-- are therefore a third party's, and hours_confidence says how sure it is. raw.note_decisions names runs whose hours
-- were found in the developer's words.
-- flop_confidence says how sure upstream is of FLOP that were not counted from the model. raw.third_party_runs has
-- both for curated runs whose facts are a third party's. If upstream does not say how sure it is, it counts as
-- speculative.
select
    curated.run_id,
    curated.model,
    coalesce(curated.developer, upstream.developer) as developer,
    coalesce(curated.developer_country, upstream.developer_country) as developer_country,
    coalesce(curated.published_date, upstream.published_date) as published_date,
    coalesce(curated.domain, upstream.domain) as domain,
    curated.covers,
    coalesce(curated.parameters, upstream.parameters) as parameters,
    curated.active_parameters,
    curated.training_flop,
    guessed.flop_confidence,
    curated.hardware,
    curated.chips,
    curated.training_hours,
    curated.chip_hours,
    guessed.hours_confidence,
    curated.mfu,
    curated.watts_per_chip,
    curated.power_basis,
    curated.started_month,
    curated.location,
    curated.provider,
    curated.cloud_region,
    curated.site,
    curated.site_country,
    curated.pue,
    curated.gross_kg_per_kwh,
    curated.net_kg_per_kwh,
    curated.source_title,
    curated.source_url,
    curated.source_locator,
    curated.verified
from raw.training_runs as curated
left join core.upstream_runs as upstream on curated.run_id = upstream.run_id
left join raw.third_party_runs as guessed on curated.run_id = guessed.run_id
union all
select
    upstream.run_id,
    upstream.model,
    upstream.developer,
    upstream.developer_country,
    upstream.published_date,
    upstream.domain,
    upstream.covers,
    upstream.parameters,
    upstream.active_parameters,
    upstream.training_flop,
    case
        when upstream.training_flop is null or (upstream.confidence = 'Confident' and upstream.flop_basis = 'counted') then null
        when upstream.confidence in ('Confident', 'Likely') then lower(upstream.confidence)
        else 'speculative'
    end as flop_confidence,
    upstream.hardware,
    upstream.chips,
    upstream.training_hours,
    upstream.chip_hours,
    case
        when coalesce(upstream.chip_hours, upstream.chips * upstream.training_hours) is null then null
        -- the developer's words were read, and still say what upstream's columns have
        when
            notes.confirmed_chip_hours / coalesce(upstream.chip_hours, upstream.chips * upstream.training_hours)
            between 0.98 and 1.02
            then null
        when upstream.confidence in ('Confident', 'Likely') then lower(upstream.confidence)
        else 'speculative'
    end as hours_confidence,
    upstream.mfu,
    upstream.watts_per_chip,
    upstream.power_basis,
    upstream.started_month,
    upstream.location,
    upstream.provider,
    upstream.cloud_region,
    upstream.site,
    upstream.site_country,
    upstream.pue,
    upstream.gross_kg_per_kwh,
    upstream.net_kg_per_kwh,
    upstream.source_title,
    upstream.source_url,
    upstream.source_locator,
    upstream.verified
from core.upstream_runs as upstream
left join raw.note_decisions as notes on upstream.run_id = notes.run_id and notes.note_subject = 'hours'
where
    upstream.run_id not in (select curated.run_id from raw.training_runs as curated)
    and upstream.run_id not in (select checks.run_id from core.model_checks as checks)
