-- PUE of operators by year: the mean over their sites and periods, and its range. An operator has the name of its
-- organisation: Amazon for Amazon Web Services.
select
    coalesce(known.organisation, pue.provider) as organisation,
    cast(left(pue.period, 4) as integer) as year,
    count(distinct pue.site) as sites,
    avg(pue.pue) as pue,
    min(pue.pue) as least,
    max(pue.pue) as most
from datacenter_pue as pue left join organisations as known on pue.provider = known.developer_name
where pue.pue is not null
group by all
order by all
