-- Runs whose numbers depend on a source: a factor, or the facts of the run itself.
select source_id, run_id, list(distinct what order by what) as what
from (
    select source_id, run_id, factor as what from emission_factors
    union all select source_id, run_id, 'facts' from emissions
)
where source_id is not null
group by source_id, run_id
order by all
