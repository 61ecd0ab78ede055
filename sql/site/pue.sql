-- PUE of operators by year: the mean over their sites and periods, and its range.
select
    provider,
    cast(left(period, 4) as integer) as year,
    count(distinct site) as sites,
    avg(pue) as pue,
    min(pue) as least,
    max(pue) as most
from datacenter_pue
where pue is not null
group by provider, year
order by provider, year
