-- Everything that went in: the upstreams, the curated files of this project, and each publication that a fact cites.
-- One row per source. An upstream that could not be had is absent: what it would add is missing from this release.
with publishers as (
    select
        cited.source_id,
        publishers.producer,
        publishers.license,
        row_number() over (
            partition by cited.source_id order by length(publishers.url_prefix) desc
        ) as preference
    from core.cited_sources as cited
    inner join raw.publishers as publishers on starts_with(cited.url, publishers.url_prefix)
)

select
    source_id(url) as source_id,
    producer,
    title,
    url,
    license,
    citation,
    is_republished,
    sha256,
    retrieved_at,
    row_count as rows,
    quarantined_rows,
    status
from raw.upstreams
union all
select
    source_id,
    producer,
    title,
    url,
    license,
    cast(null as varchar) as citation,
    true as is_republished,
    sha256,
    cast(null as timestamp) as retrieved_at,
    row_count as rows,
    0 as quarantined_rows,
    'curated' as status
from raw.reference_files
union all
select
    cited.source_id,
    publishers.producer,
    cited.title,
    cited.url,
    publishers.license,
    cast(null as varchar) as citation,
    true as is_republished,
    cast(null as varchar) as sha256,
    cast(null as timestamp) as retrieved_at,
    cited.row_count as rows,
    0 as quarantined_rows,
    'cited' as status
from core.cited_sources as cited
left join publishers on cited.source_id = publishers.source_id and publishers.preference = 1
where cited.source_id not in (select source_id(upstreams.url) from raw.upstreams as upstreams)
