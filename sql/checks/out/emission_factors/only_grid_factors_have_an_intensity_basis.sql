-- Direct and life-cycle intensities differ by a tenth or more. Every intensity must say which it is, and no other
-- factor may.
select
    run_id,
    factor,
    intensity_basis
from out.emission_factors
where (factor in ('gross_kg_per_kwh', 'net_kg_per_kwh')) <> (intensity_basis is not null)
