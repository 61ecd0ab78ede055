-- PUE from sources that may be republished. One row per operator, site and period. Other sources are not used,
-- because a factor is shown next to each run that uses it.
with publishers as (
    select
        pue.provider,
        pue.site,
        pue.period,
        publishers.is_republished
    from raw.datacenter_pue as pue
    inner join raw.publishers as publishers on starts_with(pue.source_url, publishers.url_prefix)
    qualify row_number() over (
        partition by pue.provider, pue.site, pue.period order by length(publishers.url_prefix) desc
    ) = 1
)

select
    pue.provider,
    pue.site,
    pue.cloud_region,
    pue.country,
    pue.period,
    pue.pue,
    pue.pue_basis,
    pue.wue_l_per_kwh,
    pue.source_title,
    pue.source_url,
    pue.source_locator,
    pue.verified
from raw.datacenter_pue as pue
left join publishers
    on pue.provider = publishers.provider and pue.site = publishers.site and pue.period = publishers.period
where coalesce(publishers.is_republished, true)
