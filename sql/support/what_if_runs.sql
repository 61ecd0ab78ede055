-- The runs of the table what_if, with the factors that a location or another accelerator changes or leaves. One row per
-- computed run whose year is known.
select
    emissions.run_id,
    emissions.run_year,
    emissions.provider,
    coalesce(emissions.hardware_id, 'unnamed') as hardware_id,
    emissions.chip_hours,
    emissions.watts_per_chip,
    emissions.pue,
    emissions.gross_kg_per_kwh,
    emissions.net_kg_per_kwh,
    emissions.intensity_basis,
    emissions.co2e_gross_t,
    hours.basis as chip_hours_basis,
    hours.gsd as chip_hours_gsd,
    watts.gsd as watts_gsd,
    pues.gsd as pue_gsd,
    ln(pues.p95 / pues.value) as pue_ln_above,
    ln(pues.value / pues.p05) as pue_ln_below,
    grids.gsd as gross_kg_per_kwh_gsd,
    nets.gsd as net_kg_per_kwh_gsd
from out.emissions as emissions
inner join out.emission_factors as hours on emissions.run_id = hours.run_id and hours.factor = 'chip_hours'
inner join out.emission_factors as watts on emissions.run_id = watts.run_id and watts.factor = 'watts_per_chip'
inner join out.emission_factors as pues on emissions.run_id = pues.run_id and pues.factor = 'pue'
inner join out.emission_factors as grids on emissions.run_id = grids.run_id and grids.factor = 'gross_kg_per_kwh'
left join out.emission_factors as nets on emissions.run_id = nets.run_id and nets.factor = 'net_kg_per_kwh'
where emissions.energy_basis = 'computed' and emissions.run_year is not null
