-- What upstreams said and this dataset does not take, with the check that it failed. One row per finding.
-- Sources that may not be republished are left out.
select
    quarantine.source,
    quarantine.row_key,
    quarantine.column_name,
    quarantine.check_name,
    quarantine.cell,
    quarantine.message
from raw.quarantine as quarantine
inner join raw.upstreams as upstreams on quarantine.source = upstreams.source
where upstreams.is_republished
union all
select
    'epoch_models' as source,
    model as row_key,
    'chip_hours' as column_name,
    check_name,
    cast(value as varchar) as cell,
    message
from core.model_checks
where run_id not in (select curated.run_id from raw.training_runs as curated)
