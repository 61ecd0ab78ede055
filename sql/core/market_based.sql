-- Market-based intensity of each run (scope 2 of the GHG Protocol: after the yearly contracts and certificates of the buyer), by
-- the best basis that the facts allow. One row per run; none where no contract and no residual mix is published.
-- Tonnes that a developer published as market-based come first. They are used where they are 0, which they are for any energy.
-- Then the contracts of the operator; then, if its operator is not known to buy certificates, the residual mix of the grid.
with operators as (
    select
        run_id,
        count(distinct provider) as provider_count,
        any_value(provider) as provider
    from core.run_providers
    group by run_id
),

asked as (
    select
        runs.run_id,
        runs.run_year,
        unnest([operators.provider, coalesce(runs.region, runs.site_country)]) as location_id,
        unnest([1, 2]) as fallback_rank
    from core.training_runs as runs
    left join operators on runs.run_id = operators.run_id
    where runs.run_year is not null and coalesce(operators.provider_count, 1) = 1
),

candidates as (
    select
        figures.run_id,
        0 as fallback_rank,
        'disclosed' as market_basis,
        0 as market_kg_per_kwh,
        any_value(runs.run_year order by figures.source_url) as market_year,
        any_value(figures.source_title order by figures.source_url) as source_title,
        any_value(figures.source_url order by figures.source_url) as source_url,
        any_value(figures.source_locator order by figures.source_url) as source_locator,
        any_value(figures.verified order by figures.source_url) as verified
    from raw.published_footprints as figures
    inner join core.training_runs as runs on figures.run_id = runs.run_id
    where figures.quantity = 'co2e_t' and figures.basis = 'net_annual' and figures.value = 0
    group by figures.run_id
    union all
    select
        asked.run_id,
        asked.fallback_rank,
        locations.market_basis,
        locations.market_kg_per_kwh,
        locations.market_year,
        locations.source_title,
        locations.source_url,
        locations.source_locator,
        locations.verified
    from asked
    inner join core.market_locations as locations
        on asked.location_id = locations.location_id and asked.run_year = locations.year
),

best as (
    select *
    from candidates
    qualify row_number() over (partition by run_id order by fallback_rank) = 1
)

select * exclude (fallback_rank)
from best
where market_kg_per_kwh is not null
