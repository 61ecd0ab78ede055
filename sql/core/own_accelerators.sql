-- Accelerators of a developer's own make that it may train on. One row per developer, as it is named, and
-- accelerator.
-- A developer is the maker if the first organization of its name is the manufacturer or a part of it (Huawei Noah's
-- Ark Lab). Only accelerators that others have also trained on: the rest are made for inference (MTIA, Maia) or were
-- never reported in training. The developer's own runs are not used, so that they can be estimated without them.
with trainings as (
    select distinct
        hardware_id,
        developer
    from core.training_runs
    where hardware_id is not null and developer is not null
),

developers as (
    select distinct developer
    from core.training_runs
),

manufacturers as (
    select distinct manufacturer
    from core.hardware
),

makers as (
    select
        developers.developer,
        manufacturers.manufacturer
    from developers
    inner join manufacturers on is_of(lead_organisation(developers.developer), manufacturers.manufacturer)
)

select distinct
    makers.developer,
    hardware.manufacturer,
    hardware.hardware_id,
    year(hardware.released_date) as released_year
from makers
inner join core.hardware as hardware on makers.manufacturer = hardware.manufacturer
inner join trainings as others
    on
        hardware.hardware_id = others.hardware_id
        and not are_related(makers.developer, others.developer)
        and not is_of(lead_organisation(others.developer), hardware.manufacturer)
where
    hardware.released_date is not null
    and hardware.hardware_id in (select throughput.hardware_id from core.throughput as throughput)
    and hardware.hardware_id in (select power.hardware_id from core.chip_power as power)
