-- Operators of the data centers that organisations trained in, by year. One row per organisation, operator and first year.
select
    organisation,
    provider,
    cloud_region,
    site,
    site_country,
    from_year,
    to_year,
    provider_role,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from raw.organisation_providers
