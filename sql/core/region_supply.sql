-- What an operator's hourly-matched carbon-free energy leaves of its grid's intensity. One row per region and year for which
-- the operator publishes it. Every net intensity of the dataset is gross x net_to_gross_ratio of this table.
with fitted as (
    select any_value(exponent order by net_id) as exponent
    from core.net_pairs
)

select
    grid.region,
    regions.provider,
    grid.factor_year,
    grid_residual(grid.operator_cfe_fraction, grid.grid_cfe_fraction) as residual_fraction,
    pow(grid_residual(grid.operator_cfe_fraction, grid.grid_cfe_fraction), fitted.exponent) as net_to_gross_ratio,
    fitted.exponent * cfe_rounding_ln_gsd(grid.operator_cfe_fraction, grid.grid_cfe_fraction) as rounding_ln_gsd,
    grid.source_title,
    grid.source_url,
    grid.source_locator,
    grid.verified
from core.region_intensity as grid
inner join raw.regions as regions on grid.region = regions.region and regions.provider = 'Google' -- the one that publishes it
cross join fitted
where grid.operator_cfe_fraction is not null and grid.grid_cfe_fraction < 1
