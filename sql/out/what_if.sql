-- Each computed run at every Google Cloud region, and on every accelerator of its kind with a 16-bit peak that others
-- trained on. One row per run, place and chip. All other places are in the table places.
-- A place changes PUE and intensity; a chip changes hours (same FLOP at that chip's usual utilisation) and power.
-- Hours from FLOP hold the spread of one speed, which is the other chip's then; disclosed ones are carried over by it.
-- The ratio compares gross CO2e on the basis of the place's grid; it is null where the run's own grid is not known on that.
-- Net is null where nothing is known of the operator's supply. Ranks are least first, within one basis of intensities, of the
-- places of a run and of its chips apart, and before values are rounded.
with spreads as (
    select
        factor,
        basis,
        ln(gsd) as ln_gsd
    from core.method
),

runs as (
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
        emissions.co2e_gross_t as actual_co2e_gross_t,
        hours.basis as hours_basis,
        ln(hours.gsd) as hours_ln_gsd,
        ln(watts.gsd) as watts_ln_gsd,
        ln(pues.gsd) as pue_ln_gsd,
        ln(grids.gsd) as gross_ln_gsd,
        ln(nets.gsd) as net_ln_gsd
    from out.emissions as emissions
    inner join out.emission_factors as hours on emissions.run_id = hours.run_id and hours.factor = 'chip_hours'
    inner join out.emission_factors as watts on emissions.run_id = watts.run_id and watts.factor = 'watts_per_chip'
    inner join out.emission_factors as pues on emissions.run_id = pues.run_id and pues.factor = 'pue'
    inner join out.emission_factors as grids on emissions.run_id = grids.run_id and grids.factor = 'gross_kg_per_kwh'
    left join out.emission_factors as nets on emissions.run_id = nets.run_id and nets.factor = 'net_kg_per_kwh'
    where emissions.energy_basis = 'computed' and emissions.run_year is not null
),

years as (
    select distinct run_year
    from runs
),

places as (
    select
        years.run_year,
        places.region,
        places.factor_year,
        places.pue,
        places.gross_kg_per_kwh,
        places.net_kg_per_kwh,
        places.intensity_basis,
        ln(places.gross_gsd) as gross_ln_gsd,
        ln(places.net_gsd) as net_ln_gsd
    from years
    cross join out.places as places
    where places.provider = 'Google'
    qualify row_number() over (
        partition by years.run_year, places.region
        order by abs(places.factor_year - years.run_year), places.factor_year
    ) = 1
),

elsewhere as (
    select
        runs.run_id,
        places.region,
        runs.hardware_id,
        places.factor_year,
        places.intensity_basis,
        runs.chip_hours * runs.watts_per_chip * places.pue / 1e6 as energy_mwh, -- Wh to MWh
        energy_mwh * places.gross_kg_per_kwh as co2e_gross_t, -- MWh x kg/kWh is t
        energy_mwh * places.net_kg_per_kwh as co2e_net_t, -- MWh x kg/kWh is t
        sqrt(pow(runs.hours_ln_gsd, 2) + pow(runs.watts_ln_gsd, 2) + pow(places.gross_ln_gsd, 2)) as gross_ln_gsd,
        sqrt(pow(runs.hours_ln_gsd, 2) + pow(runs.watts_ln_gsd, 2) + pow(places.net_ln_gsd, 2)) as net_ln_gsd,
        energy_mwh * places.gross_kg_per_kwh / nullif(
            if(
                runs.intensity_basis in ('unspecified', places.intensity_basis),
                runs.actual_co2e_gross_t,
                same_basis.co2e_gross_t
            ),
            0
        ) as ratio_to_actual
    from runs
    inner join places on runs.run_year = places.run_year
    left join out.gross_by_basis as same_basis
        on runs.run_id = same_basis.run_id and places.intensity_basis = same_basis.intensity_basis
),

chips as (
    select
        used.hardware_id,
        throughput.kind,
        throughput.sustained_flop_per_s,
        power.watts_per_chip,
        power.watts_basis,
        power.measured_by
    from (
        select distinct hardware_id
        from runs
    ) as used
    inner join core.throughput as throughput on used.hardware_id = throughput.hardware_id
    inner join core.chip_power as power on used.hardware_id = power.hardware_id
    where throughput.peak_fp16_tflops is not null -- made for machine learning
),

other_chips as (
    select
        runs.run_id,
        'actual' as region,
        chips.hardware_id,
        runs.run_year as factor_year,
        runs.intensity_basis,
        runs.chip_hours * own.sustained_flop_per_s / chips.sustained_flop_per_s as other_chip_hours,
        other_chip_hours * chips.watts_per_chip * runs.pue / 1e6 as energy_mwh, -- Wh to MWh
        energy_mwh * runs.gross_kg_per_kwh as co2e_gross_t, -- MWh x kg/kWh is t
        energy_mwh * runs.net_kg_per_kwh as co2e_net_t, -- MWh x kg/kWh is t
        pow(runs.hours_ln_gsd, 2)
        + if(runs.hours_basis = 'flop_over_throughput', 0, pow(speed.ln_gsd, 2)) -- there the own chip's speed cancels
        + pow(watts.ln_gsd, 2)
        + pow(runs.pue_ln_gsd, 2) as energy_variance,
        sqrt(energy_variance + pow(runs.gross_ln_gsd, 2)) as gross_ln_gsd,
        sqrt(energy_variance + pow(runs.net_ln_gsd, 2)) as net_ln_gsd,
        co2e_gross_t / nullif(runs.actual_co2e_gross_t, 0) as ratio_to_actual
    from runs
    inner join core.throughput as own on runs.hardware_id = own.hardware_id
    inner join chips on own.kind = chips.kind and runs.hardware_id <> chips.hardware_id
    inner join spreads as watts
        on
            watts.factor = 'watts_per_chip'
            and watts_rung(chips.watts_basis, chips.measured_by, runs.provider) = watts.basis
    inner join spreads as speed on speed.factor = 'chip_hours' and speed.basis = 'flop_over_throughput'
)

select
    imagined.run_id,
    imagined.region,
    imagined.hardware_id,
    four_digits(imagined.energy_mwh) as energy_mwh,
    four_digits(imagined.co2e_gross_t) as co2e_gross_t,
    four_digits(imagined.co2e_gross_t * exp(-1.645 * imagined.gross_ln_gsd)) as co2e_gross_t_p05,
    four_digits(imagined.co2e_gross_t * exp(1.645 * imagined.gross_ln_gsd)) as co2e_gross_t_p95,
    four_digits(imagined.co2e_net_t) as co2e_net_t,
    four_digits(imagined.co2e_net_t * exp(-1.645 * imagined.net_ln_gsd)) as co2e_net_t_p05,
    four_digits(imagined.co2e_net_t * exp(1.645 * imagined.net_ln_gsd)) as co2e_net_t_p95,
    four_digits(imagined.ratio_to_actual) as ratio_to_actual,
    rank() over (
        partition by imagined.run_id, imagined.region = 'actual', imagined.intensity_basis order by imagined.co2e_gross_t
    ) as gross_rank,
    if(
        imagined.co2e_net_t is null,
        null,
        rank() over (
            partition by imagined.run_id, imagined.region = 'actual', imagined.intensity_basis
            order by imagined.co2e_net_t nulls last
        )
    ) as net_rank,
    imagined.intensity_basis,
    imagined.factor_year
from (
    select *
    from elsewhere
    union all by name
    select * exclude (other_chip_hours, energy_variance)
    from other_chips
) as imagined
