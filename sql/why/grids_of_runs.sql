-- The grids, in the year of one run, where its developer trained its other runs within two years, as in core.gross_ladder.
-- One row per location and paper, so that a paper with many runs in one location counts once.
with told as (
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
            runs.developer = others.developer
            and others.run_year between runs.run_year - 2 and runs.run_year + 2
            and runs.run_id <> others.run_id
    where runs.run_id = getvariable('run_id') and others.covers is distinct from 'hypothetical'
    group by others.source_url, runs.run_year, region, others.site_country
),

grids as (
    select
        told.*,
        places.place,
        places.value,
        places.factor_year,
        places.intensity_basis as place_intensity_basis,
        places.source_id,
        places.source_title,
        places.source_url,
        places.source_locator,
        places.verified
    from told
    inner join out.place_factors as places
        on
            places.factor = 'gross_kg_per_kwh'
            and cast(told.run_year as varchar) = places.period
            and (
                (places.basis = 'region_year' and told.region = places.place)
                or (places.basis = 'country_year' and told.site_country = places.place)
            )
    qualify row_number() over (
        partition by told.paper_url, told.region, told.site_country
        order by places.basis = 'country_year'
    ) = 1
)

select
    place || ', as of ' || factor_year || ', where ' || model || ' was trained' as name,
    value,
    'kg/kWh' as unit,
    1 / count(*) over () as weight_fraction,
    source_id,
    source_title,
    source_url,
    source_locator,
    verified
from grids
where place_intensity_basis = intensity_basis
