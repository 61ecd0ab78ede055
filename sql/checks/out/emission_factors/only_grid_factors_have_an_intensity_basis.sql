-- Direct and lifecycle intensities differ by a tenth and more: every intensity says which it is, and nothing else does.
select
    run_id,
    factor,
    intensity_basis
from out.emission_factors
where (factor in ('gross_kg_per_kwh', 'net_kg_per_kwh')) <> (intensity_basis is not null)
