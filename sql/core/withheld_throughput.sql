-- Utilisation of every accelerator as it would be estimated without one observation. One row per observation, what is
-- left out (the run, or all of its developer) and accelerator. The estimator is that of core.throughput.
with kept as (
    select
        target.observation_id,
        scopes.left_out,
        chip_family(other.hardware_id) as family,
        other.kind,
        ln(other.mfu) as ln_mfu
    from core.flop_observations as target
    cross join (values ('run'), ('developer')) as scopes (left_out)
    inner join core.flop_observations as other
        on
            target.observation_id <> other.observation_id
            and (target.run_id is null or other.run_id is distinct from target.run_id)
            and (scopes.left_out = 'run' or not are_related(other.developer, target.developer))
),

families as (
    select
        observation_id,
        left_out,
        family,
        median(ln_mfu) as ln_mfu,
        count(*) as n_observations
    from kept
    group by observation_id, left_out, family
),

kinds as (
    select
        observation_id,
        left_out,
        kind,
        median(ln_mfu) as ln_mfu
    from kept
    group by observation_id, left_out, kind
),

everything as (
    select
        observation_id,
        left_out,
        median(ln_mfu) as ln_mfu
    from kept
    group by observation_id, left_out
)

select
    everything.observation_id,
    everything.left_out,
    hardware.hardware_id,
    (
        coalesce(families.ln_mfu * families.n_observations, 0) + 2 * coalesce(kinds.ln_mfu, everything.ln_mfu)
    ) / (coalesce(families.n_observations, 0) + 2) as withheld_ln_mfu,
    ln(coalesce(hardware.peak_fp16_tflops, hardware.peak_fp32_tflops) * 1e12) -- TFLOP to FLOP
    + withheld_ln_mfu as withheld_ln_flop_per_s
from everything
cross join core.hardware as hardware
left join families
    on
        everything.observation_id = families.observation_id
        and everything.left_out = families.left_out
        and chip_family(hardware.hardware_id) = families.family
left join kinds
    on
        everything.observation_id = kinds.observation_id
        and everything.left_out = kinds.left_out
        and hardware.kind = kinds.kind
where coalesce(hardware.peak_fp16_tflops, hardware.peak_fp32_tflops) is not null
