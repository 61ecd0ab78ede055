-- Average draw of the whole system per chip by every basis that the facts allow. One row per run and basis.
-- A run's own measurement never informs the bases below it; rated power alone is never a power. Estimators: core.chip_power.
-- A basis ends in _elsewhere where none of its measurements is by the operator of the run's data centre; a ratio of chips of
-- another kind is a basis of its own, whoever measured them.
with sources as (
    select
        runs.run_id,
        runs.hardware_id as run_hardware_id,
        board_of(power.hardware_id) as board,
        power.kind,
        power.source_title,
        avg(ln(power.watts_per_chip) order by ln(power.watts_per_chip)) as ln_watts,
        avg(ln(power.rated_fraction) order by ln(power.rated_fraction)) as ln_fraction,
        coalesce(bool_or(power.provider = runs.provider), false) as is_by_provider,
        count(*) as n_observations,
        min(power.source_url) as source_url,
        least_verified(power.verified) as verified
    from core.training_runs as runs
    inner join core.power_observations as power on power.run_id is distinct from runs.run_id
    where runs.hardware_id is not null
    group by runs.run_id, runs.hardware_id, board, power.kind, power.source_title
),

chips as (
    select
        run_id,
        run_hardware_id,
        board,
        kind,
        avg(ln_watts order by source_title) as ln_watts,
        avg(ln_fraction order by source_title) as ln_fraction,
        bool_or(is_by_provider) as is_by_provider,
        sum(n_observations) as n_observations,
        count(*) as n_sources,
        arg_min(source_title, source_title) as source_title,
        arg_min(source_url, source_title) as source_url,
        least_verified(verified) as verified
    from sources
    group by run_id, run_hardware_id, board, kind
),

ratios as (
    select
        chips.run_id,
        case
            when chip_family(chips.board) = chip_family(chips.run_hardware_id) then 1
            when chips.kind = hardware.kind then 2
            else 3
        end as distance,
        avg(chips.ln_fraction order by chips.board) as ln_fraction,
        bool_or(chips.is_by_provider) as is_by_provider,
        count(*) as n_chips,
        min(chips.source_title) as source_title,
        arg_min(chips.source_url, chips.source_title) as source_url,
        least_verified(chips.verified) as verified
    from chips
    inner join core.hardware as hardware on chips.run_hardware_id = hardware.hardware_id
    group by chips.run_id, distance
    qualify row_number() over (partition by chips.run_id order by distance) = 1
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
    run_id,
    if(is_by_provider, 'measured_same_chip', 'measured_same_chip_elsewhere') as basis,
    exp(ln_watts) as value,
    cast(null as integer) as factor_year,
    source_title,
    source_url,
    'system_power: geometric mean of ' || counted(n_observations, 'power measurement') || ' on ' || run_hardware_id || ' by '
    || counted(n_sources, 'source') || ', each source counted once' as source_locator,
    verified
from chips
where board = board_of(run_hardware_id)
union all
select
    runs.run_id,
    case
        when ratios.distance = 3 then 'measured_ratio_other_class'
        when ratios.is_by_provider then 'measured_ratio'
        else 'measured_ratio_elsewhere'
    end as basis,
    hardware.tdp_w * exp(ratios.ln_fraction) as value,
    cast(null as integer) as factor_year,
    ratios.source_title,
    ratios.source_url,
    'system_power: ' || hardware.tdp_w || ' W rated x ' || round(exp(ratios.ln_fraction), 3)
    || ' measured over rated of ' || counted(ratios.n_chips, 'chip') || ' of its '
    || ['generation', 'kind', 'rating, of any kind'][ratios.distance] as source_locator,
    if(
        list_contains(string_split(coalesce(hardware.recalled_fields, ''), ';'), 'tdp_w'),
        'recalled',
        least_verified_of(ratios.verified, hardware.verified)
    ) as verified
from core.training_runs as runs
inner join core.hardware as hardware on runs.hardware_id = hardware.hardware_id
inner join ratios on runs.run_id = ratios.run_id
where hardware.tdp_w is not null
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
union all
select
    runs.run_id,
    'hardware_mix' as basis,
    exp(
        sum(mix.share_fraction * ln(power.watts_per_chip) order by mix.hardware_id)
        / sum(mix.share_fraction order by mix.hardware_id)
    ) as value,
    runs.run_year as factor_year,
    runs.source_title,
    runs.source_url,
    'geometric mean over ' || counted(count(*), 'accelerator') || ' of core.hardware_mix, by their shares; first '
    || arg_max(mix.hardware_id, mix.share_fraction) || ' (' || round(100 * max(mix.share_fraction)) || ' %)' as source_locator,
    runs.verified
from core.training_runs as runs
inner join core.hardware_mix as mix on runs.run_id = mix.run_id
inner join core.chip_power as power on mix.hardware_id = power.hardware_id
where runs.hardware_id is null
group by
    runs.run_id, runs.run_year, runs.source_title, runs.source_url, runs.verified
