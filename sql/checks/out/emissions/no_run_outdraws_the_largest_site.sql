-- No interval of a run may reach above the most energy that its site, or the largest site of its time, could use during the
-- longest known training (core.capacity_bounds).
select
    runs.run_id,
    runs.energy_mwh_p95,
    bounds.bound_mwh
from out.emissions as runs
inner join core.capacity_bounds as bounds on runs.run_id = bounds.run_id
where runs.energy_mwh_p95 > bounds.bound_mwh
