-- The net intensity of each published one, estimated without any of its location. One row per published intensity and what is
-- held out: the intensity alone (the region is known), or its location too (then the mean over those that the run may have used).
-- Exponent and uncertainty are fitted on the other locations, as core.net_pairs and core.method fit them on all.
with products as (
    select
        location,
        avg(pow(ln(residual_fraction), 2) order by net_id) as square,
        avg(ln(residual_fraction) * ln(net_kg_per_kwh / gross_kg_per_kwh) order by net_id) as product
    from core.net_pairs
    group by location
),

-- Without the location that is held out, and without the one whose error is taken.
exponents as (
    select
        held_out.location,
        other.location as other_location,
        sum(rest.product order by rest.location) / sum(rest.square order by rest.location) as exponent
    from products as held_out
    inner join products as other on held_out.location <> other.location
    inner join products as rest on rest.location not in (held_out.location, other.location)
    group by held_out.location, other.location
),

errors as (
    select
        exponents.location,
        exponents.other_location,
        avg(
            pow(
                exponents.exponent * ln(pairs.residual_fraction) - ln(pairs.net_kg_per_kwh / pairs.gross_kg_per_kwh), 2
            ) order by pairs.net_id
        ) as mean_square,
        avg(pow(1 - pairs.residual_fraction, 2) order by pairs.net_id) as mean_square_supplied_fraction
    from exponents
    inner join core.net_pairs as pairs on exponents.other_location = pairs.location
    group by exponents.location, exponents.other_location
),

fits as (
    select
        errors.location,
        greatest(
            any_value(bases.gsd_floor),
            exp(
                sqrt(
                    sum(errors.mean_square order by errors.other_location)
                    / sum(errors.mean_square_supplied_fraction order by errors.other_location)
                )
                * student_widening(count(*))
            )
        ) as basis_gsd
    from errors
    inner join raw.method_bases as bases on bases.factor = 'net_kg_per_kwh' and bases.basis = 'operator_hourly'
    group by errors.location
),

gsds as (
    select
        max(ln(gsd)) filter (where factor = 'gross_kg_per_kwh' and basis = 'disclosed') as disclosed_grid,
        max(ln(gsd)) filter (where factor = 'gross_kg_per_kwh' and basis = 'region_year') as region_year,
        max(gsd) filter (where factor = 'net_kg_per_kwh' and basis = 'supply_other_year') as other_year
    from core.method
)

select
    pairs.net_id,
    'net_kg_per_kwh' as held_out,
    pairs.net_kg_per_kwh,
    pairs.net_kg_per_kwh * exp(pairs.log_ratio) as estimated_net_kg_per_kwh,
    sqrt(
        pow(if(pairs.is_gross_printed, gsds.disclosed_grid, gsds.region_year), 2)
        + net_ln_variance(
            1 - pairs.residual_fraction,
            pairs.held_out_exponent * pairs.rounding_ln_gsd,
            abs(pairs.supply_year - pairs.factor_year),
            fits.basis_gsd,
            gsds.other_year
        )
    ) as ln_gsd,
    pairs.source_title,
    pairs.source_url,
    pairs.source_locator
from core.net_pairs as pairs
inner join fits on pairs.location = fits.location
cross join gsds
union all
select
    pairs.net_id,
    'location' as held_out,
    pairs.net_kg_per_kwh,
    gross.value * pow(mixes.value / gross.value, pairs.held_out_exponent / pairs.exponent) as estimated_net_kg_per_kwh,
    sqrt(
        pow(ln(method.gsd), 2)
        + mixes.mix_ln_variance
        + net_ln_variance(
            mixes.supplied_fraction, mixes.rounding_ln_gsd, mixes.apart_years, fits.basis_gsd, gsds.other_year
        )
    ) as ln_gsd,
    pairs.source_title,
    pairs.source_url,
    pairs.source_locator
from core.net_pairs as pairs
inner join fits on pairs.location = fits.location
inner join core.location_nets as mixes on pairs.net_id = mixes.run_id
inner join core.gross_candidates as gross on mixes.run_id = gross.run_id and mixes.gross_basis = gross.basis
inner join core.method as method on method.factor = 'gross_kg_per_kwh' and mixes.gross_basis = method.basis
cross join gsds
