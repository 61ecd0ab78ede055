-- Sources, with the factors that they give.
with given as (
    select
        source_id,
        list(distinct factor order by factor) as factors
    from emission_factors
    group by source_id
)

select
    s.source_id,
    s.producer,
    s.title,
    s.url,
    s.license,
    s.sha256,
    s.retrieved_at,
    s.rows,
    s.status,
    g.factors
from sources as s left join given as g on s.source_id = g.source_id
order by s.source_id
