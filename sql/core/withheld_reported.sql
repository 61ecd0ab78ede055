-- Energies published for the accelerators alone beside those of the whole data centre that are computed without them.
-- One row per published figure of a run whose hours are known. A run for which nothing but such an energy was published
-- takes it as it is (out.emissions): this is how far that was off where more is known. What is computed has an error of its
-- own, so the spread is rather too wide than too narrow.
with factors as (
    select
        ladder.run_id,
        'chip_hours' as factor,
        ladder.basis,
        ladder.value
    from core.chip_hours_ladder as ladder
    where ladder.basis in ('disclosed', 'chips_x_hours')
    union all
    select
        ladder.run_id,
        'watts_per_chip' as factor,
        ladder.basis,
        ladder.value
    from core.watts_ladder as ladder
    union all
    select
        ladder.run_id,
        'pue' as factor,
        ladder.basis,
        ladder.value
    from core.pue_ladder as ladder
),

best as (
    select
        factors.run_id,
        factors.factor,
        factors.value
    from factors
    inner join raw.method_rungs as rungs on factors.factor = rungs.factor and factors.basis = rungs.basis
    qualify row_number() over (partition by factors.run_id, factors.factor order by rungs.rung) = 1
)

select
    figures.run_id,
    figures.source_url,
    figures.value as reported_energy_mwh,
    figures.value * if(figures.includes_pue is false, coalesce(figures.pue, pues.value), 1) as reported_at_datacenter_mwh,
    hours.value * draws.value * pues.value / 1e6 as energy_mwh, -- Wh to MWh
    ln(reported_at_datacenter_mwh / energy_mwh) as log_ratio
from core.reported_figures as figures
inner join best as hours on figures.run_id = hours.run_id and hours.factor = 'chip_hours'
inner join best as draws on figures.run_id = draws.run_id and draws.factor = 'watts_per_chip'
inner join best as pues on figures.run_id = pues.run_id and pues.factor = 'pue'
where figures.quantity = 'energy_mwh' and figures.scope = 'accelerators_only' and figures.is_eligible
