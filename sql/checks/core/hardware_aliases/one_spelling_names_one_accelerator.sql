-- If one spelling stood for two accelerators, a run would get one of them by chance.
select
    alias,
    hardware_count
from core.hardware_aliases
where hardware_count > 1
