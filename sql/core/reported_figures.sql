-- Published energies and gross emissions of single runs, in the order in which they are trusted. One row per figure.
-- The order: current before superseded or hypothetical, operation before life cycle, whole systems before
-- accelerators alone, measured power before any other derivation, the developer before others, a stated location
-- basis before none.
-- The first of a run and quantity is used, if it is eligible. out.conflicts names the rule by which each other figure
-- lost.
select
    run_id,
    model,
    quantity,
    basis,
    value,
    scope,
    includes_pue,
    pue,
    derivation,
    status,
    published_by,
    source_url,
    source_locator,
    status = 'published' and scope <> 'lifecycle' as is_eligible,
    row_number() over (
        partition by run_id, quantity
        order by
            status <> 'published',
            scope = 'lifecycle',
            scope <> 'servers_x_pue',
            derivation <> 'measured_power',
            published_by <> 'developer',
            basis <> 'gross_location',
            source_url,
            value
    ) as preference
from raw.published_footprints
where covers = 'one_run' and basis in ('gross_location', 'unspecified')
