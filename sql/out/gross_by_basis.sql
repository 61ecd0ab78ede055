-- Gross CO2e of each run on one basis of its grid at a time. One row per run and basis that its grid is known on.
-- Direct is what power plants emit; lifecycle adds fuel supply and construction. emissions takes the best rung whatever its
-- basis; sum and compare here, within one. An intensity that is stated without its basis counts for none.
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
    where scheme = 'country' and intensity_basis = 'direct' -- the ladder has those of lifecycle
),

places as (
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
    from core.gross_ladder
    where intensity_basis in ('direct', 'lifecycle')
    union all
    select
        places.run_id,
        places.basis,
        countries.value,
        countries.intensity_basis,
        countries.factor_year,
        countries.source_title,
        countries.source_url,
        countries.source_locator,
        countries.verified
    from places
    inner join countries on places.country = countries.country
    qualify row_number() over (
        partition by places.run_id, places.basis
        order by abs(countries.factor_year - places.run_year), countries.factor_year, countries.source_url
    ) = 1
),

best as (
    select
        candidates.run_id,
        candidates.intensity_basis,
        candidates.basis,
        candidates.value,
        candidates.factor_year,
        candidates.source_title,
        candidates.source_url,
        candidates.source_locator,
        candidates.verified,
        ln(method.gsd) as ln_gsd
    from candidates
    inner join core.method as method on method.factor = 'gross_kg_per_kwh' and candidates.basis = method.basis
    qualify row_number() over (
        partition by candidates.run_id, candidates.intensity_basis order by method.rung, candidates.source_url
    ) = 1
),

formula as (
    select
        best.*,
        best.factor_year <> emissions.run_year as is_other_year,
        emissions.energy_mwh * best.value as co2e_gross_t, -- MWh x kg/kWh is t
        ln(emissions.energy_mwh_p95 / emissions.energy_mwh) / 1.645 as energy_ln_gsd,
        sqrt(pow(energy_ln_gsd, 2) + pow(best.ln_gsd, 2)) as gross_ln_gsd
    from best
    inner join out.emissions as emissions on best.run_id = emissions.run_id
)

select
    run_id,
    intensity_basis,
    value as gross_kg_per_kwh,
    basis as gross_basis,
    factor_year,
    is_other_year,
    co2e_gross_t,
    co2e_gross_t * exp(-1.645 * gross_ln_gsd) as co2e_gross_t_p05,
    co2e_gross_t * exp(1.645 * gross_ln_gsd) as co2e_gross_t_p95,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from formula
