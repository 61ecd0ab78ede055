-- Utilisation of every accelerator as it would be estimated without one observation. One row per observation, what is
-- left out (the run, or all of its organisations) and accelerator. The estimator is that of core.throughput.
with kept as (
    select
        target.observation_id,
        scopes.held_out_scope,
        chip_family(other.hardware_id) as family,
        other.kind,
        ln(other.mfu) as ln_mfu
    from core.flop_observations as target
    cross join (values ('run'), ('developer')) as scopes (held_out_scope)
    inner join core.flop_observations as other
        on
            target.observation_id <> other.observation_id
            and (target.run_id is null or other.run_id is distinct from target.run_id)
            and (scopes.held_out_scope = 'run' or not are_related(other.organisations, target.organisations))
),

families as (
    select
        observation_id,
        held_out_scope,
        family,
        median(ln_mfu) as ln_mfu,
        count(*) as n_observations
    from kept
    group by observation_id, held_out_scope, family
),

kinds as (
    select
        observation_id,
        held_out_scope,
        kind,
        median(ln_mfu) as ln_mfu
    from kept
    group by observation_id, held_out_scope, kind
),

everything as (
    select
        observation_id,
        held_out_scope,
        median(ln_mfu) as ln_mfu
    from kept
    group by observation_id, held_out_scope
)

select
    everything.observation_id,
    everything.held_out_scope,
    hardware.hardware_id,
    (
        coalesce(families.ln_mfu * families.n_observations, 0) + 2 * coalesce(kinds.ln_mfu, everything.ln_mfu)
    ) / (coalesce(families.n_observations, 0) + 2) as held_out_ln_mfu,
    ln(coalesce(hardware.peak_fp16_tflops, hardware.peak_fp32_tflops) * 1e12) -- TFLOP to FLOP
    + held_out_ln_mfu as held_out_ln_flop_per_s
from everything
cross join core.hardware as hardware
left join families
    on
        everything.observation_id = families.observation_id
        and everything.held_out_scope = families.held_out_scope
        and chip_family(hardware.hardware_id) = families.family
left join kinds
    on
        everything.observation_id = kinds.observation_id
        and everything.held_out_scope = kinds.held_out_scope
        and hardware.kind = kinds.kind
where coalesce(hardware.peak_fp16_tflops, hardware.peak_fp32_tflops) is not null
