-- Published net intensities of a known location, and what they say about the operator's supply. One row per published intensity.
-- Google counts carbon-free energy hour by hour. The hours that it does not cover are the dirty hours of the grid, so what
-- remains is more than residual_fraction x gross: net = gross x residual_fraction ^ exponent, which is gross where the operator
-- adds nothing to its grid. Least squares on logarithms; each location counts once, however many intensities it has.
-- log_ratio is the error of the estimate whose exponent is fitted without the location.
with printed as (
    select
        run_id as net_id,
        region,
        coalesce(site, cloud_region) as location,
        run_year as factor_year,
        gross_kg_per_kwh,
        net_kg_per_kwh,
        source_title,
        source_url,
        source_locator,
        verified
    from core.training_runs
    where net_kg_per_kwh is not null and region is not null and covers is distinct from 'hypothetical'
    union all
    select
        net_id,
        region,
        location,
        year as factor_year,
        gross_kg_per_kwh,
        net_kg_per_kwh,
        source_title,
        source_url,
        source_locator,
        verified
    from raw.net_intensities
),

grids as (
    select
        printed.net_id,
        grid.carbon_intensity_g_per_kwh / 1000 as region_gross_kg_per_kwh -- g to kg
    from printed
    inner join core.region_intensity as grid on printed.region = grid.region and grid.carbon_intensity_g_per_kwh > 0
    qualify row_number() over (
        partition by printed.net_id order by abs(grid.factor_year - printed.factor_year), grid.factor_year
    ) = 1
),

supplies as (
    select
        printed.net_id,
        supply.factor_year as supply_year,
        grid_residual(supply.operator_cfe_fraction, supply.grid_cfe_fraction) as residual_fraction,
        cfe_rounding_ln_gsd(supply.operator_cfe_fraction, supply.grid_cfe_fraction) as rounding_ln_gsd
    from printed
    inner join core.region_intensity as supply
        on
            printed.region = supply.region
            and supply.operator_cfe_fraction is not null
            and supply.grid_cfe_fraction < 1
    qualify row_number() over (
        partition by printed.net_id order by abs(supply.factor_year - printed.factor_year), supply.factor_year
    ) = 1
),

pairs as (
    select
        printed.*,
        printed.gross_kg_per_kwh is not null as is_gross_printed,
        coalesce(printed.gross_kg_per_kwh, grids.region_gross_kg_per_kwh) as used_gross_kg_per_kwh,
        supplies.supply_year,
        supplies.residual_fraction,
        supplies.rounding_ln_gsd,
        ln(supplies.residual_fraction) as ln_residual,
        ln(printed.net_kg_per_kwh / used_gross_kg_per_kwh) as ln_ratio
    from printed
    inner join supplies on printed.net_id = supplies.net_id
    inner join grids on printed.net_id = grids.net_id
),

products as (
    select
        location,
        avg(pow(ln_residual, 2) order by net_id) as square,
        avg(ln_residual * ln_ratio order by net_id) as product
    from pairs
    group by location
),

exponents as (
    select
        held_out.location,
        sum(others.product order by others.location) / sum(others.square order by others.location) as held_out_exponent
    from products as held_out
    inner join products as others on held_out.location <> others.location
    group by held_out.location
),

fitted as (
    select sum(product order by location) / sum(square order by location) as exponent
    from products
)

select
    pairs.net_id,
    pairs.location,
    pairs.region,
    pairs.factor_year,
    pairs.supply_year,
    pairs.residual_fraction,
    pairs.rounding_ln_gsd,
    pairs.is_gross_printed,
    pairs.used_gross_kg_per_kwh as gross_kg_per_kwh,
    pairs.net_kg_per_kwh,
    fitted.exponent,
    exponents.held_out_exponent,
    exponents.held_out_exponent * pairs.ln_residual - pairs.ln_ratio as log_ratio,
    pairs.source_title,
    pairs.source_url,
    pairs.source_locator,
    pairs.verified
from pairs
inner join exponents on pairs.location = exponents.location
cross join fitted
