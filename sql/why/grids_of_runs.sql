-- The grids, in the year of one run, where its organisation trained its other runs within two years, as in core.gross_candidates.
-- One row per location and paper, so that a paper with many runs in one location counts once.
-- Where the operator of the run is known, only locations of the same operator count.
with operators as (
    select provider
    from support.run_providers
    where run_id = getvariable('run_id')
),

stated as (
    select
        others.source_url as paper_url,
        runs.run_year,
        coalesce(others.cloud_region, 'site:' || others.site) as region,
        others.site_country,
        arg_min(others.model, others.run_id) as model,
        any_value(factors.intensity_basis) as intensity_basis
    from out.training_runs as runs
    inner join out.emission_factors as factors on runs.run_id = factors.run_id and factors.factor = 'gross_kg_per_kwh'
    inner join out.training_runs as others
        on
            runs.organisation = others.organisation
            and others.run_year between runs.run_year - 2 and runs.run_year + 2
            and runs.run_id <> others.run_id
    where
        runs.run_id = getvariable('run_id')
        and others.covers is distinct from 'hypothetical'
        and (
            others.provider in (select same.provider from operators as same)
            or not exists (select known.provider from operators as known)
        )
    group by others.source_url, runs.run_year, region, others.site_country
),

grids as (
    select
        stated.*,
        locations.location_id,
        locations.value,
        locations.factor_year,
        locations.intensity_basis as location_intensity_basis,
        locations.source_id,
        locations.source_title,
        locations.source_url,
        locations.source_locator,
        locations.verified
    from stated
    inner join support.location_factors as locations
        on
            locations.factor = 'gross_kg_per_kwh'
            and cast(stated.run_year as varchar) = locations.period
            and (
                (locations.basis = 'region_year' and stated.region = locations.location_id)
                or (locations.basis = 'country_year' and stated.site_country = locations.location_id)
            )
    qualify row_number() over (
        partition by stated.paper_url, stated.region, stated.site_country
        order by locations.basis = 'country_year'
    ) = 1
)

select
    location_id || ', as of ' || factor_year || ', where ' || model || ' was trained' as name,
    value,
    'kg/kWh' as unit,
    1 / count(*) over () as weight_fraction,
    source_id,
    source_title,
    source_url,
    source_locator,
    verified
from grids
where location_intensity_basis = intensity_basis
