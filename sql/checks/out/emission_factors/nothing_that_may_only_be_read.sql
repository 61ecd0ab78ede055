-- A factor is printed beside its run, so one that may not be republished would be.
select
    factors.run_id,
    factors.factor,
    factors.source_url
from out.emission_factors as factors
inner join raw.publishers as publishers on starts_with(factors.source_url, publishers.url_prefix)
where not publishers.is_republished
