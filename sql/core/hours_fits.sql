-- Fitted gsd of the bases of accelerator-hours. One row per basis.
with chips_x_hours as (
    select
        gsd_of(ln(chips * training_hours / chip_hours)) as fitted_gsd,
        count(*) as n_observations
    from raw.training_runs
    where chips is not null and training_hours is not null and chip_hours is not null
),

-- Hours of upstream's confident records over those that the publisher's own text states.
third_party_hours as (
    select
        calibrated_gsd(
            list(
                ln(
                    coalesce(upstream.chip_hours, upstream.chips * upstream.training_hours)
                    / coalesce(curated.chip_hours, curated.chips * curated.training_hours)
                ) order by upstream.run_id
            )
        ) as fitted_gsd,
        count(*) as n_observations
    from core.upstream_runs as upstream
    inner join raw.training_runs as curated on upstream.run_id = curated.run_id
    where
        upstream.confidence = 'Confident'
        and curated.verified = 'primary'
        and coalesce(upstream.chip_hours, upstream.chips * upstream.training_hours) is not null
        and coalesce(curated.chip_hours, curated.chips * curated.training_hours) is not null
),

held_out as (
    select
        basis,
        calibrated_gsd(list(log_ratio order by observation_id)) as own_gsd,
        count(*) as n_observations
    from core.held_out_hours
    where held_out_scope = if(basis = 'flop_by_developer', 'run', 'developer') -- that basis knows its developer's other runs
    group by basis
),

-- Hours on an accelerator that is not named are no surer than on one that is.
held_out_hours as (
    select
        fits.basis,
        no_less(fits.own_gsd, named.own_gsd) as fitted_gsd,
        fits.n_observations
    from held_out as fits
    left join held_out as named on named.basis = 'flop_over_throughput'
)

select
    'chip_hours' as factor,
    'chips_x_hours' as basis,
    fitted_gsd,
    n_observations
from chips_x_hours
union all
select
    'chip_hours' as factor,
    'third_party_confident' as basis,
    fitted_gsd,
    n_observations
from third_party_hours
union all
select
    'chip_hours' as factor,
    basis,
    fitted_gsd,
    n_observations
from held_out_hours
