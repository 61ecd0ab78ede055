-- Published embodied emissions of accelerators and their hosts. One row per published figure.
select
    embodied_id,
    hardware_id,
    component,
    embodied_kg,
    chips,
    scope_note,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from raw.embodied_carbon
