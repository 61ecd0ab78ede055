-- Average draw of the whole system per chip by every rung that the facts allow. One row per run and rung.
-- A run's own measurement never informs the rungs below it; rated power alone is never a draw.
with same_chip as (
    select
        runs.run_id,
        exp(avg(ln(power.watts_per_chip))) as value,
        count(*) as n_observations,
        min(power.source_title) as source_title,
        min(power.source_url) as source_url,
        least_verified(power.verified) as verified
    from core.training_runs as runs
    inner join core.power_observations as power
        on
            runs.assumed_hardware_id = power.hardware_id
            and power.run_id is distinct from runs.run_id
    group by runs.run_id
),

chip_fractions as (
    select
        runs.run_id,
        power.kind,
        power.hardware_id,
        exp(avg(ln(power.rated_fraction))) as rated_fraction,
        min(power.source_title) as source_title,
        min(power.source_url) as source_url,
        least_verified(power.verified) as verified
    from core.training_runs as runs
    inner join core.power_observations as power on power.run_id is distinct from runs.run_id
    group by runs.run_id, power.kind, power.hardware_id
),

kind_fractions as (
    select
        run_id,
        kind,
        exp(avg(ln(rated_fraction))) as rated_fraction,
        count(*) as n_chips,
        min(source_title) as source_title,
        min(source_url) as source_url,
        least_verified(verified) as verified
    from chip_fractions
    group by run_id, kind
    union all
    select
        run_id,
        'any' as kind,
        exp(avg(ln(rated_fraction))) as rated_fraction,
        count(*) as n_chips,
        min(source_title) as source_title,
        min(source_url) as source_url,
        least_verified(verified) as verified
    from chip_fractions
    group by run_id
)

select
    run_id,
    'disclosed_measured' as basis,
    watts_per_chip as value,
    run_year as factor_year,
    source_title,
    source_url,
    source_locator,
    verified
from core.training_runs
where power_basis = 'measured_system'
union all
select
    same_chip.run_id,
    'measured_same_chip' as basis,
    same_chip.value,
    cast(null as integer) as factor_year,
    same_chip.source_title,
    same_chip.source_url,
    'system_power: geometric mean of ' || same_chip.n_observations || ' measured draws on '
    || runs.assumed_hardware_id as source_locator,
    same_chip.verified
from same_chip
inner join core.training_runs as runs on same_chip.run_id = runs.run_id
union all
select
    runs.run_id,
    'measured_ratio' as basis,
    hardware.tdp_w * kind_fractions.rated_fraction as value,
    cast(null as integer) as factor_year,
    kind_fractions.source_title,
    kind_fractions.source_url,
    'system_power: ' || hardware.tdp_w || ' W rated x ' || round(kind_fractions.rated_fraction, 3)
    || ' measured over rated of ' || kind_fractions.n_chips || ' chips (' || kind_fractions.kind || ')' as source_locator,
    if(
        list_contains(string_split(coalesce(hardware.recalled_fields, ''), ';'), 'tdp_w'),
        'recalled',
        least_verified_of(kind_fractions.verified, hardware.verified)
    ) as verified
from core.training_runs as runs
inner join core.hardware as hardware on runs.assumed_hardware_id = hardware.hardware_id
inner join kind_fractions on runs.run_id = kind_fractions.run_id
where hardware.tdp_w is not null
qualify
    row_number()
        over (partition by runs.run_id order by kind_fractions.kind = hardware.kind desc, kind_fractions.kind = 'any' desc)
    = 1
union all
select
    run_id,
    'stated_tdp' as basis,
    watts_per_chip as value,
    run_year as factor_year,
    source_title,
    source_url,
    source_locator,
    verified
from core.training_runs
where power_basis = 'stated_tdp'
