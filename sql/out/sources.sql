-- Everything that went in: the curated files of this project, and each publication that a fact cites. One row per source.
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
    source_id,
    producer,
    title,
    url,
    license,
    sha256,
    cast(null as timestamp) as retrieved_at,
    row_count as rows,
    'curated' as status
from raw.reference_files
union all
select
    cited.source_id,
    publishers.producer,
    cited.title,
    cited.url,
    publishers.license,
    cast(null as varchar) as sha256,
    cast(null as timestamp) as retrieved_at,
    cited.row_count as rows,
    'cited' as status
from core.cited_sources as cited
left join publishers on cited.source_id = publishers.source_id and publishers.preference = 1
