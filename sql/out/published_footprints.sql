-- Energies and tonnes that others published. One row per published figure, with its scope and how it was made.
select
    *,
    source_id(source_url) as source_id
from raw.published_footprints
