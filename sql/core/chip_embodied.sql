-- Embodied emissions of every accelerator, on every basis that the facts allow. One row per accelerator and basis.
-- Published for its generation; else the mean of the published generations. A wafer is no chip of this kind.
-- Each source counts once for a generation, each generation once for the rest. Die area was tried and dropped: an A100
-- and an H100 have the same area, and memory weighs more (docs/method/embodied-and-water.md).
with published as (
    select
        chip_family(facts.hardware_id) as family,
        facts.source_url,
        avg(ln(facts.embodied_kg / facts.chips) order by facts.embodied_id) as ln_kg_per_chip,
        first_source(facts.source_title, facts.source_url, facts.source_locator)[1] as source_title,
        first_source(facts.source_title, facts.source_url, facts.source_locator)[3] as source_locator,
        least_verified(facts.verified) as verified
    from raw.embodied_carbon as facts
    where facts.component = 'accelerator'
    group by family, facts.source_url
),

families as (
    select
        family,
        avg(ln_kg_per_chip order by source_url) as ln_kg_per_chip,
        count(*) as n_sources,
        first_source(source_title, source_url, source_locator)[1] as source_title,
        first_source(source_title, source_url, source_locator)[2] as source_url,
        first_source(source_title, source_url, source_locator)[3] as source_locator,
        least_verified(verified) as verified
    from published
    group by family
),

typical as (
    select
        avg(ln_kg_per_chip order by family) as ln_kg_per_chip,
        count(*) as n_families,
        first_source(source_title, source_url, null)[1] as source_title,
        first_source(source_title, source_url, null)[2] as source_url,
        least_verified(verified) as verified
    from families
)

select
    hardware.hardware_id,
    'published_chip' as basis,
    exp(families.ln_kg_per_chip) as accelerator_kg_per_chip,
    families.source_title,
    families.source_url,
    families.source_locator || if(families.n_sources > 1, '; mean of ' || families.n_sources || ' sources', '')
        as source_locator,
    families.verified
from core.hardware as hardware
inner join families on chip_family(hardware.hardware_id) = families.family
union all
select
    hardware.hardware_id,
    'typical_chip' as basis,
    exp(typical.ln_kg_per_chip) as accelerator_kg_per_chip,
    typical.source_title,
    typical.source_url,
    'mean of ' || typical.n_families || ' generations; the source named is the first' as source_locator,
    typical.verified
from core.hardware as hardware
cross join typical
where hardware.kind in ('gpu', 'tpu', 'asic')
