-- Operators of the data centers that organisations trained in, by year. One row per organisation, operator and first year.
select
    *,
    source_id(source_url) as source_id
from raw.organisation_providers
