-- Fitted gsd of an energy that is published, where the hours are unknown. One row.
-- Energies of one source err together, so a source counts once.
with sources as (
    select
        source_url,
        avg(pow(log_ratio, 2) order by run_id, reported_energy_mwh) as mean_square,
        count(*) as n_observations
    from core.held_out_reported
    group by source_url
)

select
    'energy_mwh' as factor,
    'reported' as basis,
    calibrated_gsd_of_groups(list(mean_square order by source_url)) as fitted_gsd,
    sum(n_observations)::bigint as n_observations
from sources
