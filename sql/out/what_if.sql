-- Each computed run at every Google Cloud region, and on every accelerator with a 16-bit peak that others trained on.
-- One row per run, place and chip.
-- A place changes PUE and intensity; a chip changes hours (same FLOP at that chip's usual utilisation) and power.
-- The ratio compares net CO2e, and is null where one intensity is direct and the other lifecycle.
with runs as (
    select
        emissions.run_id,
        emissions.run_year,
        coalesce(emissions.hardware_id, 'unnamed') as hardware_id,
        emissions.chip_hours,
        emissions.watts_per_chip,
        emissions.pue,
        emissions.gross_kg_per_kwh,
        emissions.net_kg_per_kwh,
        emissions.intensity_basis,
        emissions.co2e_net_t as actual_co2e_net_t
    from out.emissions as emissions
    where emissions.energy_basis = 'computed' and emissions.run_year is not null
),

places as (
    select region
    from raw.region_map
    where provider = 'Google' and not starts_with(region, 'site:')
),

years as (
    select distinct run_year
    from runs
),

grids as (
    select
        years.run_year,
        grid.region,
        grid.factor_year,
        grid.carbon_intensity_g_per_kwh / 1000 as gross_kg_per_kwh, -- g to kg
        (grid.carbon_intensity_g_per_kwh / 1000)
        * if(
            grid.operator_cfe_fraction is null or grid.grid_cfe_fraction is null or grid.grid_cfe_fraction = 1,
            1,
            least(1, (1 - grid.operator_cfe_fraction) / (1 - grid.grid_cfe_fraction))
        ) as net_kg_per_kwh,
        grid.intensity_basis
    from years
    cross join places
    inner join core.region_intensity as grid on places.region = grid.region
    where grid.carbon_intensity_g_per_kwh is not null
    qualify row_number() over (
        partition by years.run_year, grid.region order by abs(grid.factor_year - years.run_year), grid.factor_year
    ) = 1
),

pues as (
    select
        years.run_year,
        places.region,
        figures.pue
    from years
    cross join places
    inner join core.pue_years as figures
        on
            figures.provider = 'Google'
            and figures.quarter is null
            and (places.region = figures.region or figures.is_average)
    qualify row_number() over (
        partition by years.run_year, places.region
        order by figures.is_average, abs(figures.factor_year - years.run_year), figures.factor_year
    ) = 1
),

elsewhere as (
    select
        runs.run_id,
        grids.region,
        runs.hardware_id,
        grids.factor_year,
        grids.intensity_basis,
        runs.chip_hours * runs.watts_per_chip * pues.pue / 1e6 as energy_mwh, -- Wh to MWh
        energy_mwh * grids.gross_kg_per_kwh as co2e_gross_t, -- MWh x kg/kWh is t
        energy_mwh * grids.net_kg_per_kwh as co2e_net_t, -- MWh x kg/kWh is t
        if(
            runs.intensity_basis = 'unspecified' or runs.intensity_basis = grids.intensity_basis,
            co2e_net_t / nullif(runs.actual_co2e_net_t, 0),
            null
        ) as ratio_to_actual
    from runs
    inner join grids on runs.run_year = grids.run_year
    inner join pues on runs.run_year = pues.run_year and grids.region = pues.region
),

chips as (
    select distinct hardware_id
    from runs
),

other_chips as (
    select
        runs.run_id,
        'actual' as region,
        chips.hardware_id,
        runs.run_year as factor_year,
        runs.intensity_basis,
        runs.chip_hours * own.sustained_flop_per_s / other.sustained_flop_per_s as other_chip_hours,
        other_chip_hours * power.watts_per_chip * runs.pue / 1e6 as energy_mwh, -- Wh to MWh
        energy_mwh * runs.gross_kg_per_kwh as co2e_gross_t, -- MWh x kg/kWh is t
        energy_mwh * runs.net_kg_per_kwh as co2e_net_t, -- MWh x kg/kWh is t
        co2e_net_t / nullif(runs.actual_co2e_net_t, 0) as ratio_to_actual
    from runs
    inner join core.throughput as own on runs.hardware_id = own.hardware_id
    cross join chips
    inner join core.throughput as other on chips.hardware_id = other.hardware_id
    inner join core.chip_power as power on chips.hardware_id = power.hardware_id
    where chips.hardware_id <> runs.hardware_id and other.peak_fp16_tflops is not null -- made for machine learning
)

select
    run_id,
    region,
    hardware_id,
    energy_mwh,
    co2e_gross_t,
    co2e_net_t,
    ratio_to_actual,
    intensity_basis,
    factor_year
from elsewhere
union all
select
    run_id,
    region,
    hardware_id,
    energy_mwh,
    co2e_gross_t,
    co2e_net_t,
    ratio_to_actual,
    intensity_basis,
    factor_year
from other_chips
