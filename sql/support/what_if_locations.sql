-- The Google Cloud regions of the table what_if, with the factors of the year nearest to that of a run. One row per year of
-- runs and region.
select
    years.run_year,
    locations.region,
    locations.factor_year,
    locations.pue,
    locations.gross_kg_per_kwh,
    locations.net_kg_per_kwh,
    locations.intensity_basis,
    locations.gross_gsd,
    locations.net_gsd,
    pow(pue_like_ln_gsd(locations.pue, ln(locations.pue_gsd)), 2) as pue_variance,
    sqrt(
        pow(pue_ln_above(locations.pue, ln(locations.pue_gsd)), 2)
        + pow(z_90(), 2) * (pow(ln(locations.gross_gsd), 2) - pue_variance)
    ) as gross_ln_above,
    sqrt(
        pow(pue_ln_below(locations.pue, ln(locations.pue_gsd)), 2)
        + pow(z_90(), 2) * (pow(ln(locations.gross_gsd), 2) - pue_variance)
    ) as gross_ln_below,
    sqrt(
        pow(pue_ln_above(locations.pue, ln(locations.pue_gsd)), 2)
        + pow(z_90(), 2) * (pow(ln(locations.net_gsd), 2) - pue_variance)
    ) as net_ln_above,
    sqrt(
        pow(pue_ln_below(locations.pue, ln(locations.pue_gsd)), 2)
        + pow(z_90(), 2) * (pow(ln(locations.net_gsd), 2) - pue_variance)
    ) as net_ln_below
from (
    select distinct run_year
    from support.what_if_runs
) as years
cross join out.locations as locations
where locations.provider = 'Google'
qualify row_number() over (
    partition by years.run_year, locations.region
    order by abs(locations.factor_year - years.run_year), locations.factor_year
) = 1
