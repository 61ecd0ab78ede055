-- Accelerator-hours of every observed run, as they would be estimated from its FLOP alone. One row per observation,
-- what else is left out, and basis.
-- The error is ln(estimated / published) of the hours, at the usual power of the accelerator. FLOP cancel: hours =
-- FLOP / speed, so estimated / published = observed speed / estimated speed.
-- flop_over_throughput knows the accelerator. flop_by_developer uses the accelerators of the organisation's other runs.
-- flop_by_era uses those of all others, if the organisation has no other run or is left out.
-- own_share_fraction is the share of the accelerator that the run really used: this part of the estimate depends on
-- its power.
with observed as (
    select
        observations.observation_id,
        observations.run_id,
        observations.hardware_id,
        ln(observations.mfu * coalesce(hardware.peak_fp16_tflops, hardware.peak_fp32_tflops) * 1e12) -- TFLOP to FLOP
            as ln_flop_per_s,
        ln(power.watts_per_chip) as ln_watts
    from core.flop_observations as observations
    inner join core.hardware as hardware on observations.hardware_id = hardware.hardware_id
    inner join core.chip_power as power on observations.hardware_id = power.hardware_id
),

shares as (
    select
        observed.observation_id,
        held_out.held_out_scope,
        mix.hardware_id,
        mix.hardware_id = observed.hardware_id as is_own,
        ln(power.watts_per_chip) - held_out.held_out_ln_flop_per_s as chip_ln_joule_per_flop,
        if(held_out.held_out_scope = 'run' and mix.developer_run_count > 0, 'flop_by_developer', 'flop_by_era') as basis,
        if(held_out.held_out_scope = 'run', mix.share_fraction, mix.stranger_share_fraction) as used_share_fraction
    from observed
    inner join core.hardware_mix as mix on observed.run_id = mix.run_id
    inner join core.held_out_throughput as held_out
        on observed.observation_id = held_out.observation_id and mix.hardware_id = held_out.hardware_id
    inner join core.chip_power as power on mix.hardware_id = power.hardware_id
),

mixes as (
    select
        observation_id,
        held_out_scope,
        basis,
        sum(used_share_fraction * chip_ln_joule_per_flop order by hardware_id)
        / sum(used_share_fraction order by hardware_id) as ln_joule_per_flop,
        sum(if(is_own, used_share_fraction, 0) order by hardware_id)
        / sum(used_share_fraction order by hardware_id) as own_share_fraction
    from shares
    where used_share_fraction is not null
    group by observation_id, held_out_scope, basis
)

select
    observed.observation_id,
    held_out.held_out_scope,
    'flop_over_throughput' as basis,
    observed.run_id,
    observed.hardware_id,
    1 as own_share_fraction,
    observed.ln_flop_per_s - held_out.held_out_ln_flop_per_s as log_ratio
from observed
inner join core.held_out_throughput as held_out
    on observed.observation_id = held_out.observation_id and observed.hardware_id = held_out.hardware_id
union all
select
    observed.observation_id,
    mixes.held_out_scope,
    mixes.basis,
    observed.run_id,
    observed.hardware_id,
    mixes.own_share_fraction,
    mixes.ln_joule_per_flop - (observed.ln_watts - observed.ln_flop_per_s) as log_ratio
from observed
inner join mixes on observed.observation_id = mixes.observation_id
