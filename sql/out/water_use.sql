-- Water evaporated on site for cooling, and where the electricity was made. One row per run whose energy is known and
-- for which one of the two is. Water of the grid counts the evaporation of reservoirs, as its source does.
with sites as (
    select
        runs.run_id,
        if(facts.site = 'fleet average', 'provider_year', 'site_year') as basis,
        facts.wue_l_per_kwh,
        cast(left(facts.period, 4) as integer) as factor_year,
        facts.source_title,
        facts.source_url,
        facts.source_locator,
        facts.verified
    from core.training_runs as runs
    inner join core.datacenter_pue as facts
        on
            runs.provider = facts.provider
            and (facts.site = 'fleet average' or runs.region = facts.cloud_region or 'site:' || facts.site = runs.region)
    where facts.wue_l_per_kwh is not null
    qualify row_number() over (
        partition by runs.run_id
        order by facts.site = 'fleet average', abs(factor_year - runs.run_year), factor_year, facts.site
    ) = 1
),

countries as (
    select
        run_id,
        'country' as basis,
        site_country as country
    from core.training_runs
    where site_country is not null
    union all
    select
        run_id,
        'developer_country' as basis,
        unnest(string_split(developer_country, ';')) as country
    from core.training_runs
    where site_country is null and developer_country is not null
    union all
    select
        run_id,
        'world' as basis,
        'WORLD' as country
    from core.training_runs
),

grids as (
    select
        countries.run_id,
        countries.basis,
        exp(avg(ln(facts.grid_water_l_per_kwh) order by facts.region)) as grid_water_l_per_kwh,
        first_source(facts.source_title, facts.source_url, null)[1] as source_title,
        first_source(facts.source_title, facts.source_url, null)[2] as source_url,
        string_agg(facts.source_locator, '; ' order by facts.region) as source_locator,
        least_verified(facts.verified) as verified
    from countries
    inner join raw.grid_water as facts on countries.country = facts.region
    inner join core.method as method on method.factor = 'grid_water_l_per_kwh' and countries.basis = method.basis
    group by countries.run_id, countries.basis, method.fallback_rank
    qualify row_number() over (partition by countries.run_id order by method.fallback_rank) = 1
),

formula as (
    select
        runs.run_id,
        runs.energy_mwh,
        ln(runs.energy_mwh_p95 / runs.energy_mwh) as energy_ln_above,
        ln(runs.energy_mwh / runs.energy_mwh_p05) as energy_ln_below,
        sites.wue_l_per_kwh,
        sites.basis as wue_basis,
        sites.factor_year as wue_year,
        runs.energy_mwh / runs.pue * sites.wue_l_per_kwh as water_site_m3, -- per kWh of the computers; MWh x l/kWh is m3
        widened(energy_ln_above, ln(site_method.gsd)) as site_ln_above,
        widened(energy_ln_below, ln(site_method.gsd)) as site_ln_below,
        grids.grid_water_l_per_kwh,
        grids.basis as grid_water_basis,
        runs.energy_mwh * grids.grid_water_l_per_kwh as water_grid_m3, -- MWh x l/kWh is m3
        widened(energy_ln_above, ln(grid_method.gsd)) as grid_ln_above,
        widened(energy_ln_below, ln(grid_method.gsd)) as grid_ln_below,
        sites.source_title as wue_source_title,
        sites.source_url as wue_source_url,
        sites.source_locator as wue_source_locator,
        grids.source_title,
        grids.source_url,
        grids.source_locator,
        least_verified_of(grids.verified, coalesce(sites.verified, 'primary')) as verified
    from out.emissions as runs
    inner join grids on runs.run_id = grids.run_id
    inner join core.method as grid_method
        on grid_method.factor = 'grid_water_l_per_kwh' and grids.basis = grid_method.basis
    left join sites on runs.run_id = sites.run_id
    left join core.method as site_method on site_method.factor = 'wue_l_per_kwh' and sites.basis = site_method.basis
)

select
    run_id,
    energy_mwh,
    wue_l_per_kwh,
    wue_basis,
    wue_year,
    water_site_m3,
    water_site_m3 * exp(-site_ln_below) as water_site_m3_p05,
    water_site_m3 * exp(site_ln_above) as water_site_m3_p95,
    grid_water_l_per_kwh,
    grid_water_basis,
    water_grid_m3,
    water_grid_m3 * exp(-grid_ln_below) as water_grid_m3_p05,
    water_grid_m3 * exp(grid_ln_above) as water_grid_m3_p95,
    wue_source_title,
    wue_source_url,
    wue_source_locator,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from formula
