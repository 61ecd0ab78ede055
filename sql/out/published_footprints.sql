-- Energies and tonnes that others published. One row per published figure, with its scope and how it was made.
select
    run_id,
    model,
    quantity,
    basis,
    value,
    scope,
    covers,
    includes_pue,
    derivation,
    status,
    carbon_intensity_kg_per_kwh,
    pue,
    published_by,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from raw.published_footprints
