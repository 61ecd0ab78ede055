-- What the fallback orders take for a location in a year when a run says nothing better. One row per factor, location and period.
-- The gsd of an operator's grid is the uncertainty of its regions with that of a region's own figure.
with operator_gsds as (
    select
        grids.provider,
        grids.factor_year,
        exp(sqrt(pow(ln(grids.region_gsd), 2) + pow(ln(country.gsd), 2))) as gsd
    from core.provider_grids as grids
    inner join core.method as country on country.factor = 'gross_kg_per_kwh' and country.basis = 'country_year'
)

select
    candidates.factor,
    candidates.location_id,
    candidates.period,
    candidates.value,
    case
        when candidates.factor = 'net_to_gross_ratio'
            then
                exp(
                    sqrt(
                        candidates.mix_ln_variance
                        + net_ln_variance(
                            candidates.supplied_fraction,
                            candidates.rounding_ln_gsd,
                            candidates.apart_years,
                            method.gsd,
                            other_year.gsd
                        )
                    )
                )
        when candidates.factor = 'pue'
            then
                exp(
                    sqrt(
                        pow(ln(method.gsd), 2)
                        + pue_ln_variance(
                            candidates.basis,
                            abs(candidates.factor_year - cast(left(candidates.period, 4) as integer)),
                            ln(year_change.gsd)
                        )
                    )
                )
        else coalesce(operator_gsds.gsd, method.gsd)
    end as gsd,
    candidates.basis,
    candidates.intensity_basis,
    candidates.factor_year,
    source_id(candidates.source_url) as source_id,
    candidates.source_title,
    candidates.source_url,
    candidates.source_locator,
    candidates.verified
from core.location_candidates as candidates
inner join core.method as method
    on
        if(candidates.factor = 'net_to_gross_ratio', 'net_kg_per_kwh', candidates.factor) = method.factor
        and candidates.basis = method.basis
left join core.method as year_change
    on candidates.factor = 'pue' and year_change.factor = 'pue' and year_change.basis = 'other_year'
left join operator_gsds
    on
        candidates.basis = 'provider_regions'
        and candidates.location_id = operator_gsds.provider
        and candidates.factor_year = operator_gsds.factor_year
left join core.method as other_year on other_year.factor = 'net_kg_per_kwh' and other_year.basis = 'supply_other_year'
