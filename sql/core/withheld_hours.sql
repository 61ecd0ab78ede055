-- Chip-hours of every observed run as they would be estimated from its FLOP alone. One row per observation, what is left
-- out and rung. An error is that of the chip-hours at the draw usual for the chip: ln(estimated / disclosed).
-- flop_over_throughput knows the accelerator. Without it, flop_by_developer takes the mix of the developer's other runs;
-- flop_by_era, where it has none in these years or is left out, that of all others. The rungs are those of the ladder.
-- own_share_fraction is the share of the chip that it was: so much of the estimate rests on the chip's draw.
-- FLOP cancel: hours = FLOP / speed, so estimated / disclosed = observed speed / estimated speed.
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
        withheld.left_out,
        mix.hardware_id,
        mix.hardware_id = observed.hardware_id as is_own,
        ln(power.watts_per_chip) - withheld.withheld_ln_flop_per_s as chip_ln_joule_per_flop,
        if(withheld.left_out = 'run' and mix.developer_run_count > 0, 'flop_by_developer', 'flop_by_era') as basis,
        if(withheld.left_out = 'run', mix.share_fraction, mix.stranger_share_fraction) as used_share_fraction
    from observed
    inner join core.hardware_mix as mix on observed.run_id = mix.run_id
    inner join core.withheld_throughput as withheld
        on observed.observation_id = withheld.observation_id and mix.hardware_id = withheld.hardware_id
    inner join core.chip_power as power on mix.hardware_id = power.hardware_id
),

mixes as (
    select
        observation_id,
        left_out,
        basis,
        sum(used_share_fraction * chip_ln_joule_per_flop order by hardware_id)
        / sum(used_share_fraction order by hardware_id) as ln_joule_per_flop,
        sum(if(is_own, used_share_fraction, 0) order by hardware_id)
        / sum(used_share_fraction order by hardware_id) as own_share_fraction
    from shares
    where used_share_fraction is not null
    group by observation_id, left_out, basis
)

select
    observed.observation_id,
    withheld.left_out,
    'flop_over_throughput' as basis,
    observed.run_id,
    observed.hardware_id,
    1 as own_share_fraction,
    observed.ln_flop_per_s - withheld.withheld_ln_flop_per_s as log_ratio
from observed
inner join core.withheld_throughput as withheld
    on observed.observation_id = withheld.observation_id and observed.hardware_id = withheld.hardware_id
union all
select
    observed.observation_id,
    mixes.left_out,
    mixes.basis,
    observed.run_id,
    observed.hardware_id,
    mixes.own_share_fraction,
    mixes.ln_joule_per_flop - (observed.ln_watts - observed.ln_flop_per_s) as log_ratio
from observed
inner join mixes on observed.observation_id = mixes.observation_id
