-- Every known spelling of an accelerator. One row per alias; spellings that differ only in case,
-- spaces or punctuation count once.
select * exclude (alias_key, hardware_count)
from core.hardware_aliases
