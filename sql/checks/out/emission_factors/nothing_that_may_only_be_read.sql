-- A factor is shown with its run, so a factor that may not be republished must not be used.
select
    factors.run_id,
    factors.factor,
    factors.source_url
from out.emission_factors as factors
inner join raw.publishers as publishers on starts_with(factors.source_url, publishers.url_prefix)
where not publishers.is_republished
