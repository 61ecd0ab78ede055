-- Every known spelling of an accelerator. One row per alias; spellings that differ only in case,
-- spaces or punctuation count once.
select
    alias,
    hardware_id,
    is_ambiguous
from core.hardware_aliases
