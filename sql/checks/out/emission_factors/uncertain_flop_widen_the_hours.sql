-- The uncertainty of hours from FLOP is fitted on FLOP that were counted. For other FLOP, more uncertainty must be
-- added.
select
    factors.run_id,
    factors.gsd,
    method.gsd as basis_gsd,
    runs.flop_confidence
from out.emission_factors as factors
inner join core.training_runs as runs on factors.run_id = runs.run_id
inner join core.method as method on factors.factor = method.factor and factors.basis = method.basis
where
    factors.factor = 'chip_hours'
    and factors.basis like 'flop_%'
    and runs.flop_confidence is not null
    and (factors.gsd <= method.gsd or factors.flop_confidence is null)
