-- Fitted gsd of the bases of embodied emissions and of hardware lives. One row per factor and basis.
-- Embodied figures and water: each published one over the mean of the others that it would be estimated from.
with embodied as (
    select
        if(facts.component = 'host', 'host', chip_family(facts.hardware_id)) as family,
        facts.source_url,
        avg(ln(facts.embodied_kg / facts.chips) order by facts.embodied_id) as ln_kg
    from raw.embodied_carbon as facts
    group by family, facts.source_url, facts.component
),

held_out_embodied as (
    select
        truth.family,
        truth.source_url,
        truth.family = others.family as is_same_family,
        any_value(truth.ln_kg) - avg(others.ln_kg order by others.source_url) as ln_kg_error
    from embodied as truth
    inner join embodied as others
        on truth.source_url <> others.source_url and (truth.family = 'host') = (others.family = 'host')
    group by truth.family, truth.source_url, is_same_family
)

select
    'accelerator_kg_per_chip' as factor,
    'published_chip' as basis,
    calibrated_gsd(list(ln_kg_error order by family, source_url)) as fitted_gsd,
    count(*) as n_observations
from held_out_embodied
where is_same_family and family <> 'host'
union all
select
    'accelerator_kg_per_chip' as factor,
    'typical_chip' as basis,
    calibrated_gsd(list(ln_kg_error order by family, source_url)) as fitted_gsd,
    count(*) as n_observations
from held_out_embodied
where not is_same_family
union all
select
    'host_kg_per_chip' as factor,
    'typical_host' as basis,
    calibrated_gsd(list(ln_kg_error order by family, source_url)) as fitted_gsd,
    count(*) as n_observations
from held_out_embodied
where family = 'host'
union all
select
    'busy_hours' as factor,
    'published_lives' as basis,
    calibrated_gsd(list(log_error order by lifetime_id)) as fitted_gsd,
    count(*) as n_observations
from (
    select
        truth.lifetime_id,
        any_value(ln(truth.lifetime_years)) - avg(ln(others.lifetime_years) order by others.lifetime_id) as log_error
    from raw.hardware_lifetimes as truth
    inner join raw.hardware_lifetimes as others on truth.lifetime_id <> others.lifetime_id
    group by truth.lifetime_id
) as held_out_lives
