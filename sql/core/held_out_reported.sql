-- Energies published for the accelerators alone beside those of the whole data centre that are computed without them.
-- One row per published figure of a run whose hours are known. A run for which nothing but such an energy was published
-- takes it as it is (out.emissions): this is how far that was off where more is known. What is computed has an error of its
-- own, so the uncertainty is rather too wide than too narrow.
with factors as (
    select
        candidates.run_id,
        'chip_hours' as factor,
        candidates.basis,
        candidates.value
    from core.chip_hours_candidates as candidates
    where candidates.basis in ('disclosed', 'chips_x_hours')
    union all
    select
        candidates.run_id,
        'watts_per_chip' as factor,
        candidates.basis,
        candidates.value
    from core.watts_candidates as candidates
    union all
    select
        candidates.run_id,
        'pue' as factor,
        candidates.basis,
        candidates.value
    from core.pue_candidates as candidates
),

best as (
    select
        factors.run_id,
        factors.factor,
        factors.value
    from factors
    inner join raw.method_bases as bases on factors.factor = bases.factor and factors.basis = bases.basis
    qualify row_number() over (partition by factors.run_id, factors.factor order by bases.fallback_rank) = 1
)

select
    figures.run_id,
    figures.source_url,
    figures.value as reported_energy_mwh,
    figures.value * if(figures.includes_pue is false, coalesce(figures.pue, pues.value), 1) as reported_at_datacenter_mwh,
    hours.value * power.value * pues.value / 1e6 as energy_mwh, -- Wh to MWh
    ln(reported_at_datacenter_mwh / energy_mwh) as log_ratio
from core.reported_figures as figures
inner join best as hours on figures.run_id = hours.run_id and hours.factor = 'chip_hours'
inner join best as power on figures.run_id = power.run_id and power.factor = 'watts_per_chip'
inner join best as pues on figures.run_id = pues.run_id and pues.factor = 'pue'
where figures.quantity = 'energy_mwh' and figures.scope = 'accelerators_only' and figures.is_eligible
