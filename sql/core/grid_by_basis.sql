-- Grid intensity of each run, direct and life-cycle apart: the best basis of each kind. One row per run and kind that is known.
-- Direct is what power plants emit; life-cycle adds fuel supply and construction. An intensity that is stated without its kind
-- counts for neither. In the USA the direct figure of a grid region also gives its life-cycle one, with the ratio and the
-- uncertainty of core.lifecycle_ratio: a run whose grid region becomes known keeps its kind.
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
),

figures as (
    select
        *,
        false as is_converted
    from candidates
    union all
    select
        candidates.run_id,
        candidates.basis,
        candidates.value * ratio.lifecycle_to_direct_ratio as value,
        'lifecycle' as intensity_basis,
        candidates.factor_year,
        candidates.source_title,
        candidates.source_url,
        candidates.source_locator || '; x ' || round(ratio.lifecycle_to_direct_ratio, 3) || ', life-cycle over direct'
            as source_locator,
        candidates.verified,
        true as is_converted
    from candidates
    inner join core.training_runs as runs on candidates.run_id = runs.run_id and runs.site_country = 'US'
    cross join core.lifecycle_ratio as ratio
    where candidates.intensity_basis = 'direct' and candidates.basis in ('region_month', 'region_year')
)

select
    candidates.run_id,
    candidates.intensity_basis,
    candidates.basis,
    candidates.value,
    exp(
        sqrt(
            pow(ln(method.gsd), 2)
            + if(candidates.is_converted, pow(ln(conversion.gsd), 2), 0)
            + coalesce(
                gross_ln_variance(
                    candidates.basis, widening.mix_ln_variance, widening.start_ln_variance, widening.onsite_ln_variance
                ),
                0
            )
        )
    ) as gsd,
    candidates.factor_year,
    candidates.source_title,
    candidates.source_url,
    candidates.source_locator,
    candidates.verified
from figures as candidates
left join core.gross_uncertainty as widening on candidates.run_id = widening.run_id
left join core.method as conversion
    on conversion.factor = 'gross_kg_per_kwh' and conversion.basis = 'direct_to_lifecycle'
inner join core.method as method on method.factor = 'gross_kg_per_kwh' and candidates.basis = method.basis
qualify row_number() over (
    partition by candidates.run_id, candidates.intensity_basis order by method.fallback_rank, candidates.source_url
) = 1
