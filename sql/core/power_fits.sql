-- Fitted gsd of the bases of power. One row per basis.
with power_groups as (
    select
        basis,
        error_group,
        avg(pow(log_ratio, 2) order by observation_id) as mean_square,
        count(*) as n_observations
    from core.power_errors
    group by basis, error_group
),

power as (
    select
        basis,
        power_gsd(basis, list(mean_square order by error_group)) as fitted_gsd,
        sum(n_observations)::bigint as n_observations
    from power_groups
    group by basis
),

stated_tdp as (
    select
        calibrated_gsd(list(ln(rated_fraction) order by hardware_id, system, workload)) as fitted_gsd,
        count(*) as n_observations
    from core.power_observations
),

-- Each bare name counts once, its variants as often as runs name them in full.
variants as (
    select
        usual.hardware_id,
        avg(pow(ln(variants.tdp_w / usual.tdp_w), 2) order by runs.run_id) as mean_square,
        count(*) as n_observations
    from core.hardware as usual
    inner join core.hardware as variants
        -- nvidia-rtx-2060 and nvidia-rtx-2060-super: alike up to the first word with a digit
        on starts_with(
            variants.hardware_id || '-',
            coalesce(
                nullif(regexp_extract(usual.hardware_id || '-', '^[a-z]+-([a-z]+-)*[a-z]*[0-9][a-z0-9]*-'), ''),
                usual.hardware_id
            )
        )
    inner join core.training_runs as runs on variants.hardware_id = runs.hardware_id and not runs.is_ambiguous_hardware
    where
        usual.hardware_id in (
            select aliases.hardware_id from core.hardware_aliases as aliases
            where aliases.is_ambiguous
        )
        and variants.tdp_w is not null
    group by usual.hardware_id
),

ambiguous_variant as (
    select
        exp(sqrt(avg(mean_square order by hardware_id))) as fitted_gsd,
        sum(n_observations)::bigint as n_observations
    from variants
)

select
    'watts_per_chip' as factor,
    basis,
    fitted_gsd,
    n_observations
from power
union all
select
    'watts_per_chip' as factor,
    'hardware_mix' as basis,
    exp(
        sqrt(
            pow(ln(max(power.fitted_gsd)), 2) -- an accelerator of the mix has one of the two
            + pow(ln(any_value(coalesce(variants.fitted_gsd, 1))), 2) -- and no named variant
        )
    ) as fitted_gsd,
    arg_max(power.n_observations, power.fitted_gsd) as n_observations
from power
cross join ambiguous_variant as variants
where power.basis in ('measured_same_chip_elsewhere', 'measured_ratio_elsewhere')
union all
select
    'watts_per_chip' as factor,
    'stated_tdp' as basis,
    fitted_gsd,
    n_observations
from stated_tdp
union all
select
    'watts_per_chip' as factor,
    'ambiguous_variant' as basis,
    fitted_gsd,
    n_observations
from ambiguous_variant
