-- Locations behind the carbon intensity of runs of which only the operator is known. One row per run and location.
select
    mixes.run_id,
    mixes.location_id,
    mixes.provider,
    mixes.weight_fraction,
    mixes.value as gross_kg_per_kwh,
    mixes.value * supply.net_to_gross_ratio as net_kg_per_kwh,
    mixes.factor_year,
    source_id(mixes.source_url) as source_id,
    mixes.source_title,
    mixes.source_url,
    mixes.source_locator,
    mixes.verified
from core.provider_mixes as mixes
inner join out.emission_factors as factors
    on mixes.run_id = factors.run_id and factors.factor = 'gross_kg_per_kwh' and mixes.basis = factors.basis
left join core.region_supply as supply on mixes.location_id = supply.region and mixes.provider = supply.provider
qualify row_number() over (
    partition by mixes.run_id, mixes.location_id
    order by abs(supply.factor_year - mixes.run_year) nulls last, supply.factor_year
) = 1
