select
    s.*,
    (
        select list(distinct f.factor order by f.factor)
        from emission_factors as f where s.source_id = f.source_id
    ) as factors
from sources as s
order by s.source_id
