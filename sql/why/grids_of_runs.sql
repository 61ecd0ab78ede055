-- The grids of the developer's other runs within two years of one run, as in core.gross_ladder. One row per run.
with told as (
    select
        runs.run_id,
        runs.model,
        runs.developer,
        runs.run_year,
        grids.value,
        grids.intensity_basis,
        grids.source_id,
        grids.source_title,
        grids.source_url,
        grids.source_locator,
        grids.verified
    from out.training_runs as runs
    inner join out.place_factors as grids
        on
            grids.factor = 'gross_kg_per_kwh'
            and grids.basis in ('region_year', 'country_year')
            and grids.place in (runs.cloud_region, 'site:' || runs.site, runs.site_country)
            and cast(runs.run_year as varchar) = grids.period
    where runs.covers is distinct from 'hypothetical'
    qualify row_number() over (partition by runs.run_id order by grids.basis = 'country_year') = 1
)

select
    told.model || ' (' || told.run_id || ')' as name,
    told.value,
    'kg/kWh' as unit,
    1 / count(*) over () as weight_fraction,
    told.source_id,
    told.source_title,
    told.source_url,
    told.source_locator,
    told.verified
from out.training_runs as runs
inner join out.emission_factors as factors on runs.run_id = factors.run_id and factors.factor = 'gross_kg_per_kwh'
inner join told
    on
        runs.developer = told.developer
        and told.run_year between runs.run_year - 2 and runs.run_year + 2
        and runs.run_id <> told.run_id
        and factors.intensity_basis = told.intensity_basis
where runs.run_id = getvariable('run_id')
