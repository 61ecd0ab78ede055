-- Training runs as disclosed, each from one source. One row per run.
-- The curated facts win, whole: a chip count of one source never meets the hours of another. What only describes the
-- model (developer, country, day, domain, parameters) is taken from upstream where the curated facts lack it.
-- Upstream models that a gate turned away are left out. Upstream mixes hours that developers stated with hours that it worked
-- out or guessed, so hours that only upstream gives are a third party's: hours_confidence says how sure it is. flop_confidence
-- says so of FLOP that were not counted from the model, or not with confidence. raw.third_party_runs says both of curated runs
-- whose facts are a third party's. Where upstream does not say, it is taken for speculative.
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
    run_id,
    model,
    developer,
    developer_country,
    published_date,
    domain,
    covers,
    parameters,
    active_parameters,
    training_flop,
    case
        when training_flop is null or (confidence = 'Confident' and flop_basis = 'counted') then null
        when confidence in ('Confident', 'Likely') then lower(confidence)
        else 'speculative'
    end as flop_confidence,
    hardware,
    chips,
    training_hours,
    chip_hours,
    case
        when coalesce(chip_hours, chips * training_hours) is null then null
        when confidence in ('Confident', 'Likely') then lower(confidence)
        else 'speculative'
    end as hours_confidence,
    mfu,
    watts_per_chip,
    power_basis,
    started_month,
    location,
    provider,
    cloud_region,
    site,
    site_country,
    pue,
    gross_kg_per_kwh,
    net_kg_per_kwh,
    source_title,
    source_url,
    source_locator,
    verified
from core.upstream_runs
where
    run_id not in (select curated.run_id from raw.training_runs as curated)
    and run_id not in (select gates.run_id from core.model_gates as gates)
