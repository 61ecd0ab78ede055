-- Figures that may be read but not republished must not be part of a release.
select
    pue.provider,
    pue.site,
    pue.period,
    pue.source_url
from out.datacenter_pue as pue
inner join raw.publishers as publishers on starts_with(pue.source_url, publishers.url_prefix)
where not publishers.is_republished
