-- Estimates of PUE and grid intensity for runs whose own value is known. One row per run, factor and basis. The ratio of a PUE is
-- that of PUE - 1.
-- The known value is what the run's source states, else the grid of its region, else of its country. Hypothetical runs have
-- no location, and one that was inferred from the accelerator or the cluster is not used as known. A national average
-- (GPT-3: the USA) is not used as known value where a country has several grids.
-- A known value that is direct is compared with the direct figure of the country, if there is one. A value of
-- unstated kind is compared with the lifecycle figure.
with many_grids as (
    select country
    from raw.regions
    where egrid_subregion is not null
),

runs as (
    select
        run_id,
        run_year,
        organisation,
        site_country,
        developer_country,
        pue,
        region is null and site_country in (select many_grids.country from many_grids) as is_country_average
    from core.training_runs
    where
        covers is distinct from 'hypothetical'
        and run_id not in (
            select inferred.run_id
            from raw.run_locations as inferred
            where inferred.location_basis = 'inferred_from_cluster'
        )
),

stated_grids as (
    select
        runs.run_id,
        candidates.basis as stated_basis,
        candidates.value,
        candidates.intensity_basis
    from core.gross_candidates as candidates
    inner join runs on candidates.run_id = runs.run_id
    where
        candidates.basis in ('disclosed', 'region_year', 'country_year')
        and candidates.value > 0
        and not coalesce(runs.is_country_average, false)
        and (candidates.basis <> 'country_year' or runs.site_country not in (select many_grids.country from many_grids))
    qualify
        row_number() over (
            partition by candidates.run_id order by candidates.basis = 'country_year', candidates.basis = 'region_year'
        ) = 1
),

countries as (
    select
        run_id,
        run_year,
        unnest(['country_year', 'developer_country_year']) as basis,
        unnest([site_country, developer_country]) as country
    from runs
),

direct_grids as (
    select
        countries.run_id,
        countries.basis,
        grids.carbon_intensity_g_per_kwh / 1000 as value, -- g to kg
        grids.intensity_basis
    from countries
    inner join core.grid_intensity as grids
        on grids.scheme = 'country' and grids.intensity_basis = 'direct' and countries.country = grids.region
    qualify row_number() over (
        partition by countries.run_id, countries.basis order by abs(grids.year - countries.run_year), grids.year
    ) = 1
),

inferred_grids as (
    select
        run_id,
        basis,
        value,
        intensity_basis
    from core.gross_candidates
    where basis in ('country_year', 'provider_locations', 'provider_regions', 'developer_locations', 'developer_country_year')
    union all
    select *
    from direct_grids
),

grids as (
    select
        stated.run_id,
        inferred.basis,
        ln(inferred.value / stated.value) as log_ratio
    from stated_grids as stated
    inner join inferred_grids as inferred
        on stated.run_id = inferred.run_id and (stated.stated_basis <> 'country_year' or inferred.basis <> 'country_year')
    qualify row_number() over (
        partition by stated.run_id, inferred.basis
        order by inferred.intensity_basis = stated.intensity_basis desc, inferred.intensity_basis desc
    ) = 1
)

select
    runs.run_id,
    'pue' as factor,
    candidates.basis,
    runs.organisation,
    ln((candidates.value - 1) / (runs.pue - 1)) as log_ratio
from runs
inner join core.pue_candidates as candidates on runs.run_id = candidates.run_id
where candidates.basis in ('developer_locations', 'training_locations', 'industry_year') and runs.pue > 1 and candidates.value > 1
union all
select
    runs.run_id,
    'gross_kg_per_kwh' as factor,
    grids.basis,
    runs.organisation,
    grids.log_ratio
from runs
inner join grids on runs.run_id = grids.run_id
