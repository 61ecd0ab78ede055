-- Geometric standard deviation (gsd) of every basis. One row per factor and basis. It is fitted on the facts, but
-- never below its lower limit. With fewer than three observations, a stated value is used. The gsd of a PUE is that of PUE - 1.
with fits as (
    select *
    from core.hours_fits
    union all
    select *
    from core.power_fits
    union all
    select *
    from core.pue_fits
    union all
    select *
    from core.location_fits
    where basis <> 'provider_regions' -- core.grid_fits has it
    union all
    select *
    from core.grid_fits
    union all
    select *
    from core.net_fits
    union all
    select *
    from core.reported_fits
    union all
    select *
    from core.embodied_fits
    union all
    select *
    from core.water_fits
    union all
    select
        'overhead_ratio' as factor,
        'typical_project' as basis,
        fitted_gsd,
        n_observations
    from core.typical_overhead
)

select
    bases.factor,
    bases.basis,
    bases.fallback_rank,
    bases.solidity,
    if(fits.n_observations >= 3 and fits.fitted_gsd is not null, greatest(bases.gsd_floor, fits.fitted_gsd), bases.gsd_unfitted)
        as gsd,
    fits.fitted_gsd,
    coalesce(fits.n_observations, 0) as n_observations,
    bases.fitted_on
from raw.method_bases as bases
left join fits on bases.factor = fits.factor and bases.basis = fits.basis
