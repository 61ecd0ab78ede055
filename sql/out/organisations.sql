-- The organisation that each developer belongs to, and the developer's country. One row per name of a developer.
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
