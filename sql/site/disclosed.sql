-- What the developers of each whole run published, by year of publication. What a third party states of a run is not
-- the developer's.
select
    t.run_id,
    t.model,
    t.organisations,
    year(t.published_date) as year,
    coalesce(e.hours_stated_by in ('developer', 'developer_quoted'), false) as hours,
    coalesce(e.watts_basis = 'disclosed_measured' and e.hours_stated_by <> 'third_party', false) as power,
    coalesce(t.site is not null or t.cloud_region is not null or t.site_country is not null, false) as location,
    coalesce(e.pue_basis = 'disclosed' and e.hours_stated_by is distinct from 'third_party', false) as pue
from training_runs as t left join emissions as e on t.run_id = e.run_id
where coalesce(t.covers, 'one_run') <> 'hypothetical'
order by t.run_id
