-- Fitted gsd of the bases that infer where a run took place, for PUE and for gross intensity. One row per factor and basis.
-- The locations of an organisation are alike, and one paper names those of many runs: so an organisation counts once.
with organisations as (
    select
        factor,
        basis,
        organisation,
        avg(pow(log_ratio, 2) order by run_id) as mean_square,
        count(*) as n_observations
    from core.location_errors
    where basis <> 'industry_year' -- the companies that publish a PUE are not those that the survey stands in for
    group by factor, basis, organisation
)

select
    factor,
    basis,
    calibrated_gsd_of_groups(list(mean_square order by organisation)) as fitted_gsd,
    sum(n_observations)::bigint as n_observations
from organisations
group by factor, basis
