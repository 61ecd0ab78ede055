-- The five factors of each run, on every basis that the facts allow. One row per run, factor and basis.
select
    'chip_hours' as factor,
    *
from core.chip_hours_candidates
union all by name
select
    'watts_per_chip' as factor,
    *
from core.watts_candidates
union all by name
select
    'pue' as factor,
    *
from core.pue_candidates
union all by name
select
    'gross_kg_per_kwh' as factor,
    *
from core.gross_candidates
union all by name
select
    'net_kg_per_kwh' as factor,
    *
from core.net_candidates
