-- A spelling that stands for two accelerators would give a run either of them by chance.
select
    alias,
    hardware_count
from core.hardware_aliases
where hardware_count > 1
