-- Every spelling of every accelerator, with the key by which spellings are compared. One row per key. Names and ids
-- count as spellings. The key drops case, spaces and punctuation.
with spellings as (
    select
        alias,
        hardware_id,
        is_ambiguous
    from raw.hardware_aliases
    union all
    select
        name as alias,
        hardware_id,
        false as is_ambiguous
    from core.hardware
    union all
    select
        hardware_id as alias,
        hardware_id,
        false as is_ambiguous
    from core.hardware
)

select
    spelling_key(alias) as alias_key,
    min(alias) as alias,
    min(hardware_id) as hardware_id,
    bool_or(is_ambiguous) as is_ambiguous,
    count(distinct hardware_id) as hardware_count
from spellings
group by spelling_key(alias)
