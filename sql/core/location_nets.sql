-- Net intensity of the locations that a run may have used, where the operator publishes its supply at all of them. One row per
-- run and basis of its locations: geometric means with the weights of core.provider_mixes. A run at a known region has it, too,
-- so that it can be compared with its own.
with locations as (
    select
        mixes.run_id,
        mixes.basis,
        mixes.location_id,
        mixes.run_year,
        mixes.weight_fraction,
        mixes.value as gross_kg_per_kwh,
        supply.net_to_gross_ratio,
        supply.residual_fraction,
        supply.rounding_ln_gsd,
        supply.factor_year,
        supply.source_title,
        supply.source_url,
        supply.verified
    from core.provider_mixes as mixes
    left join core.region_supply as supply on mixes.location_id = supply.region and mixes.provider = supply.provider
    qualify row_number() over (
        partition by mixes.run_id, mixes.location_id
        order by abs(supply.factor_year - mixes.run_year) nulls last, supply.factor_year
    ) = 1
)

select
    run_id,
    basis as gross_basis,
    sum(weight_fraction * ln(gross_kg_per_kwh * net_to_gross_ratio) order by location_id) as mean_ln_net,
    greatest(
        sum(weight_fraction * pow(ln(gross_kg_per_kwh * net_to_gross_ratio), 2) order by location_id) - pow(mean_ln_net, 2),
        0
    ) as mix_ln_variance,
    exp(mean_ln_net) as value,
    1 - sum(weight_fraction * residual_fraction order by location_id) as supplied_fraction,
    sqrt(sum(weight_fraction * pow(rounding_ln_gsd, 2) order by location_id)) as rounding_ln_gsd,
    furthest_year(min(factor_year), max(factor_year), any_value(run_year)) as factor_year,
    abs(furthest_year(min(factor_year), max(factor_year), any_value(run_year)) - any_value(run_year)) as apart_years,
    first_source(source_title, source_url, null)[1] as source_title,
    first_source(source_title, source_url, null)[2] as source_url,
    'mean over ' || counted(count(*), 'location') || ' of the operator; the source named is the first of theirs'
        as source_locator,
    least_verified(verified) as verified
from locations
group by run_id, basis
having bool_and(net_to_gross_ratio is not null)
