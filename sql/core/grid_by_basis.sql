-- Grid intensity of each run, direct and life-cycle apart: the best basis of each kind. One row per run and kind that is known.
-- Direct is what power plants emit; life-cycle adds fuel supply and construction. An intensity that is stated without its kind
-- counts for neither.
with countries as (
    select
        region as country,
        year as factor_year,
        carbon_intensity_g_per_kwh / 1000 as value, -- g to kg
        intensity_basis,
        source_title,
        source_url,
        source_locator,
        verified
    from core.grid_intensity
    where scheme = 'country' and intensity_basis = 'direct' -- the fallback order has those of lifecycle
),

locations as (
    select
        run_id,
        'country_year' as basis,
        site_country as country,
        run_year
    from core.training_runs
    where site_country is not null and run_year is not null
    union all
    select
        run_id,
        'developer_country_year' as basis,
        developer_country as country,
        run_year
    from core.training_runs
    where site_country is null and run_year is not null and developer_country is not null
),

candidates as (
    select
        run_id,
        basis,
        value,
        intensity_basis,
        factor_year,
        source_title,
        source_url,
        source_locator,
        verified
    from core.gross_candidates
    where intensity_basis in ('direct', 'lifecycle')
    union all
    select
        locations.run_id,
        locations.basis,
        countries.value,
        countries.intensity_basis,
        countries.factor_year,
        countries.source_title,
        countries.source_url,
        countries.source_locator,
        countries.verified
    from locations
    inner join countries on locations.country = countries.country
    qualify row_number() over (
        partition by locations.run_id, locations.basis
        order by abs(countries.factor_year - locations.run_year), countries.factor_year, countries.source_url
    ) = 1
)

select
    candidates.run_id,
    candidates.intensity_basis,
    candidates.basis,
    candidates.value,
    method.gsd,
    candidates.factor_year,
    candidates.source_title,
    candidates.source_url,
    candidates.source_locator,
    candidates.verified
from candidates
inner join core.method as method on method.factor = 'gross_kg_per_kwh' and candidates.basis = method.basis
qualify row_number() over (
    partition by candidates.run_id, candidates.intensity_basis order by method.fallback_rank, candidates.source_url
) = 1
