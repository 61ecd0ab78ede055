-- The organisation that each developer belongs to, and the developer's country. One row per name of a developer.
-- A developer that the mapping does not list is its own organisation, without a source.
select
    developer_name,
    organisation,
    developer_country,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from raw.organisations
union all
select
    name as developer_name,
    name as organisation,
    null as developer_country,
    null as source_id,
    null as source_title,
    null as source_url,
    null as source_locator,
    null as verified
from (
    select distinct trim(unnest(string_split(developer, ';'))) as name
    from core.developers
) as listed
where name not in (select known.developer_name from raw.organisations as known)
