-- Accelerators of an organisation's own make that it may train on. One row per organisation and accelerator.
-- Joint work counts for the organisation that is named first. Only accelerators that others have also trained on: the
-- rest are made for inference (MTIA, Maia) or were never reported in training. The organisation's own runs are not
-- used, so that they can be estimated without them.
with trainings as (
    select distinct
        hardware_id,
        organisations
    from core.training_runs
    where hardware_id is not null and organisations is not null
),

made as (
    select
        coalesce(known.organisation, hardware.manufacturer) as organisation,
        hardware.hardware_id,
        year(hardware.released_date) as released_year
    from core.hardware as hardware
    left join raw.organisations as known on hardware.manufacturer = known.developer_name
    where hardware.released_date is not null
)

select distinct
    made.organisation,
    made.hardware_id,
    made.released_year
from made
inner join trainings as others
    on made.hardware_id = others.hardware_id and not are_related(made.organisation, others.organisations)
where
    made.organisation in (select runs.organisation from core.training_runs as runs)
    and made.hardware_id in (select throughput.hardware_id from core.throughput as throughput)
    and made.hardware_id in (select power.hardware_id from core.chip_power as power)
