-- Emissions of making the hardware, shared out by chip-hours over its life. One row per run whose chip-hours are known.
-- They stand beside the operational emissions and are in no total of this dataset.
with chips as (
    select
        runs.run_id,
        chips.accelerator_kg_per_chip,
        chips.basis,
        ln(method.gsd) as ln_gsd,
        chips.source_title,
        chips.source_url,
        chips.source_locator,
        chips.verified
    from core.training_runs as runs
    inner join core.chip_embodied as chips on runs.hardware_id = chips.hardware_id
    inner join core.method as method on method.factor = 'accelerator_kg_per_chip' and chips.basis = method.basis
    qualify row_number() over (partition by runs.run_id order by method.fallback_rank) = 1
),

hosts as (
    select
        exp(avg(ln(embodied_kg / chips) order by embodied_id)) as host_kg_per_chip,
        count(*) as n_hosts
    from raw.embodied_carbon
    where component = 'host'
),

lives as (
    select
        exp(avg(ln(lifetime_years) order by lifetime_id)) as lifetime_years,
        exp(avg(ln(in_use_fraction) order by lifetime_id)) as in_use_fraction,
        count(*) as n_lives
    from raw.hardware_lifetimes
),

gsds as (
    select
        max(ln(gsd)) filter (where factor = 'host_kg_per_chip') as host_ln_gsd,
        max(ln(gsd)) filter (where factor = 'busy_hours') as busy_ln_gsd
    from core.method
),

formula as (
    select
        hours.run_id,
        hours.value as chip_hours,
        chips.accelerator_kg_per_chip,
        chips.basis as accelerator_kg_basis,
        hosts.host_kg_per_chip,
        lives.lifetime_years,
        lives.in_use_fraction,
        lives.lifetime_years * 8766 * lives.in_use_fraction as busy_hours, -- 365.25 days a year
        hours.value / busy_hours as chips_used_up_ratio,
        chips_used_up_ratio * chips.accelerator_kg_per_chip / 1000 as embodied_accelerators_t, -- kg to t
        chips_used_up_ratio * hosts.host_kg_per_chip / 1000 as embodied_hosts_t, -- kg to t
        embodied_accelerators_t + embodied_hosts_t as embodied_t,
        -- The relative uncertainty of a sum is that of its parts, each weighted by its share.
        sqrt(
            pow(chips.ln_gsd * embodied_accelerators_t / embodied_t, 2)
            + pow(gsds.host_ln_gsd * embodied_hosts_t / embodied_t, 2)
            + pow(gsds.busy_ln_gsd, 2)
            + pow(ln(hours.gsd), 2)
        ) as embodied_ln_gsd,
        chips.source_title,
        chips.source_url,
        chips.source_locator || '; host: mean of ' || hosts.n_hosts || ' published (embodied_carbon); life: mean of '
        || lives.n_lives || ' (hardware_lifetimes)' as source_locator,
        chips.verified
    from out.emission_factors as hours
    inner join chips on hours.run_id = chips.run_id
    cross join hosts
    cross join lives
    cross join gsds
    where hours.factor = 'chip_hours'
)

select
    run_id,
    chip_hours,
    accelerator_kg_per_chip,
    accelerator_kg_basis,
    host_kg_per_chip,
    lifetime_years,
    in_use_fraction,
    embodied_accelerators_t,
    embodied_hosts_t,
    embodied_t,
    embodied_t * exp(-z_90() * embodied_ln_gsd) as embodied_t_p05,
    embodied_t * exp(z_90() * embodied_ln_gsd) as embodied_t_p95,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from formula
