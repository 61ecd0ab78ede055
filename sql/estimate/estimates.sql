-- Energy and operational CO2e of a user's runs, by the fallback orders and the uncertainties of the dataset. One row per run.
-- Read top to bottom as the formula; intervals as in out.emissions (docs/method). Runs of one location and period share the
-- row of `settings`, and runs of one accelerator and operator the row of `powers`.
with overheads as ( -- what projects used over their final runs: next to the result, never in it
    select
        any_value(overhead_ratio) as overhead_ratio,
        any_value(overhead_ratio_p05) as overhead_ratio_p05,
        any_value(overhead_ratio_p95) as overhead_ratio_p95
    from left_out
    where overhead_basis = 'typical_project'
),

factors as (
    select
        runs.*,
        overheads.overhead_ratio,
        overheads.overhead_ratio_p05,
        overheads.overhead_ratio_p95,
        case
            when runs.chip_hours is not null then 'disclosed'
            when runs.chips * runs.training_hours is not null then 'chips_x_hours'
            when runs.training_flop * powers.sustained_flop_per_s is not null then 'flop_over_throughput'
            when runs.training_flop is not null then 'flop_by_era'
        end as chip_hours_basis,
        case chip_hours_basis
            when 'disclosed' then runs.chip_hours
            when 'chips_x_hours' then runs.chips * runs.training_hours
            when 'flop_over_throughput' then runs.training_flop / powers.sustained_flop_per_s / 3600 -- seconds to hours
            when 'flop_by_era' then runs.training_flop / settings.mix_flop_per_s / 3600 -- seconds to hours
        end as used_chip_hours,
        case chip_hours_basis
            when 'disclosed' then gsds.disclosed_hours
            when 'chips_x_hours' then gsds.chips_x_hours
            when 'flop_over_throughput' then gsds.flop_over_throughput
            when 'flop_by_era' then gsds.flop_by_era
        end as chip_hours_ln_gsd,
        case chip_hours_basis
            when 'flop_over_throughput'
                then
                    format(
                        '{:.3g} FLOP at {:.3g} FLOP/s, the peak x an MFU of {:.2f} usual on the chip',
                        runs.training_flop, powers.sustained_flop_per_s, powers.mfu
                    )
            when 'flop_by_era'
                then
                    format(
                        '{:.3g} FLOP at {:.3g} FLOP/s, the geometric mean over the accelerators of {} runs about {}',
                        runs.training_flop, settings.mix_flop_per_s, settings.named_runs, settings.era_year
                    )
        end as chip_hours_source_locator,
        case
            when runs.watts_per_chip is not null then 'disclosed_measured'
            when runs.hardware_id is not null then powers.basis
            else 'hardware_mix'
        end as used_watts_basis,
        case used_watts_basis
            when 'disclosed_measured' then runs.watts_per_chip
            when 'hardware_mix' then settings.mix_watts_per_chip
            else powers.watts_per_chip
        end as used_watts_per_chip,
        case used_watts_basis
            when 'disclosed_measured' then gsds.disclosed_measured
            when 'hardware_mix'
                then
                    sqrt( -- hours from FLOP carry the uncertainty of the mix; where hours are known, the power does
                        pow(gsds.hardware_mix, 2)
                        + if(chip_hours_basis in ('disclosed', 'chips_x_hours'), settings.mix_ln_watts_variance, 0)
                    )
            else powers.watts_ln_gsd
        end as watts_ln_gsd,
        if(used_watts_basis in ('disclosed_measured', 'hardware_mix'), null, powers.source_url) as watts_source_url,
        case used_watts_basis
            when 'disclosed_measured' then null
            when 'hardware_mix'
                then
                    format(
                        'geometric mean over the accelerators of {} runs about {}', settings.named_runs, settings.era_year
                    )
            else powers.source_locator
        end as watts_source_locator,
        if(runs.pue is null, settings.pue_basis, 'disclosed') as pue_basis,
        coalesce(runs.pue, settings.pue) as used_pue,
        if(runs.pue is null, settings.pue_gsd, exp(gsds.disclosed_pue)) as used_pue_gsd,
        if(runs.pue is null, settings.pue_ln_above, pue_ln_above(runs.pue, gsds.disclosed_pue)) as used_pue_ln_above,
        if(runs.pue is null, settings.pue_ln_below, pue_ln_below(runs.pue, gsds.disclosed_pue)) as used_pue_ln_below,
        if(runs.pue is null, settings.pue_factor_year, null) as pue_factor_year,
        if(runs.pue is null, settings.pue_source_url, null) as pue_source_url,
        if(runs.pue is null, settings.pue_source_locator, null) as pue_source_locator,
        coalesce(runs.gross_basis, settings.gross_basis) as used_gross_basis,
        if(runs.gross_basis is null, settings.gross_kg_per_kwh, runs.gross_kg_per_kwh) as used_gross_kg_per_kwh,
        if(runs.gross_basis is null, settings.gross_ln_gsd, if(runs.gross_kg_per_kwh is null, null, gsds.disclosed_grid))
            as used_gross_ln_gsd,
        if(runs.gross_basis is null, settings.gross_gsd, exp(used_gross_ln_gsd)) as used_gross_gsd,
        if(runs.gross_basis is null, settings.intensity_basis, 'unspecified') as intensity_basis,
        if(runs.gross_basis is null, settings.gross_factor_year, null) as gross_factor_year,
        if(runs.gross_basis is null, settings.gross_source_url, null) as gross_source_url,
        if(runs.gross_basis is null, settings.gross_source_locator, null) as gross_source_locator,
        -- A carbon-free share that is given counts that of the grid, as Google's does (docs/method/grid.md).
        if(runs.cfe_fraction is null, settings.net_basis, 'operator_hourly') as net_basis,
        if(
            runs.cfe_fraction is null,
            settings.net_to_gross_ratio,
            pow(grid_residual(runs.cfe_fraction, settings.grid_cfe_fraction), net_fit.exponent)
        ) as net_to_gross_ratio,
        if(
            runs.cfe_fraction is null,
            settings.supply_ln_gsd,
            sqrt(
                net_ln_variance(
                    1 - grid_residual(runs.cfe_fraction, settings.grid_cfe_fraction),
                    net_fit.exponent * cfe_rounding_ln_gsd(runs.cfe_fraction, settings.grid_cfe_fraction),
                    0,
                    gsds.operator_hourly_gsd,
                    1
                )
            )
        ) as used_supply_ln_gsd,
        if(
            runs.gross_basis is null and runs.cfe_fraction is null,
            settings.net_ln_gsd,
            sqrt(pow(used_gross_ln_gsd, 2) + pow(used_supply_ln_gsd, 2))
        ) as used_net_ln_gsd,
        if(
            runs.gross_basis is null and runs.cfe_fraction is null, settings.net_gsd, exp(used_net_ln_gsd)
        ) as used_net_gsd,
        if(runs.cfe_fraction is null, settings.net_factor_year, settings.grid_cfe_year) as net_factor_year,
        if(runs.cfe_fraction is null, settings.net_source_url, null) as net_source_url,
        if(
            runs.cfe_fraction is null,
            settings.net_source_locator,
            format(
                'a carbon-free share of {:g}, where that of the grid is {:.3g} ({})',
                runs.cfe_fraction, settings.grid_cfe_fraction, settings.grid_cfe_year
            )
        ) as net_source_locator,
        -- An intensity that is given may be direct or life-cycle, and says nothing of a location that is not given.
        runs.gross_basis is not null and settings.lifecycle_basis = 'world_year' as is_unknown_lifecycle,
        if(is_unknown_lifecycle, null, settings.lifecycle_basis) as lifecycle_basis,
        if(is_unknown_lifecycle, null, settings.lifecycle_kg_per_kwh) as lifecycle_kg_per_kwh,
        if(is_unknown_lifecycle, null, settings.lifecycle_ln_gsd) as lifecycle_ln_gsd,
        if(is_unknown_lifecycle, null, settings.lifecycle_factor_year) as lifecycle_factor_year,
        if(is_unknown_lifecycle, null, settings.lifecycle_source_url) as lifecycle_source_url,
        if(is_unknown_lifecycle, null, settings.lifecycle_source_locator) as lifecycle_source_locator,
        if(runs.market_kg_per_kwh is null, settings.market_basis, 'disclosed') as market_basis,
        coalesce(runs.market_kg_per_kwh, settings.market_kg_per_kwh) as used_market_kg_per_kwh,
        if(runs.market_kg_per_kwh is null, settings.market_year, runs.run_year) as market_year,
        if(runs.market_kg_per_kwh is null, settings.market_source_url, null) as market_source_url,
        if(runs.market_kg_per_kwh is null, settings.market_source_locator, null) as market_source_locator,
        if(runs.gross_kg_per_kwh is null, settings.within_country, null) as within_country,
        coalesce(runs.metering ilike 'partly metered%', false) as is_partly_metered,
        -- The energy of a part as that of the whole errs as published energies of accelerators alone do.
        if(is_partly_metered, greatest(gsds.accelerators_alone, gsds.disclosed_measured), gsds.disclosed_measured)
            as metering_ln_gsd
    from runs
    cross join gsds
    cross join net_fit
    cross join overheads
    inner join powers on runs.power_no = powers.power_no
    inner join settings
        on
            runs.location_no = settings.location_no
            and runs.period_no = settings.period_no
            and runs.month_count = settings.month_count
),

formula as (
    select
        *,
        case
            when energy_kwh is null then 'computed'
            when is_partly_metered then 'partly_measured'
            else 'measured'
        end as energy_basis,
        if(
            energy_kwh is null,
            used_chip_hours * used_watts_per_chip / 1e6, -- Wh to MWh
            energy_kwh / 1000 -- kWh to MWh
        ) as it_energy_mwh,
        it_energy_mwh * used_pue as energy_mwh,
        used_gross_kg_per_kwh * net_to_gross_ratio as used_net_kg_per_kwh,
        energy_mwh * used_gross_kg_per_kwh as co2e_gross_t, -- MWh x kg/kWh is t
        energy_mwh * used_net_kg_per_kwh as co2e_net_t, -- MWh x kg/kWh is t
        energy_mwh * lifecycle_kg_per_kwh as co2e_lifecycle_t, -- MWh x kg/kWh is t
        energy_mwh * used_market_kg_per_kwh as co2e_market_t, -- MWh x kg/kWh is t
        if(
            energy_kwh is null, sqrt(pow(chip_hours_ln_gsd, 2) + pow(watts_ln_gsd, 2)), metering_ln_gsd
        ) as it_energy_ln_gsd,
        widened(used_pue_ln_above, it_energy_ln_gsd) as energy_ln_above,
        widened(used_pue_ln_below, it_energy_ln_gsd) as energy_ln_below,
        widened(energy_ln_above, used_gross_ln_gsd) as co2e_gross_ln_above,
        widened(energy_ln_below, used_gross_ln_gsd) as co2e_gross_ln_below,
        widened(energy_ln_above, used_net_ln_gsd) as co2e_net_ln_above,
        widened(energy_ln_below, used_net_ln_gsd) as co2e_net_ln_below,
        widened(energy_ln_above, lifecycle_ln_gsd) as co2e_lifecycle_ln_above,
        widened(energy_ln_below, lifecycle_ln_gsd) as co2e_lifecycle_ln_below
    from factors
)

select
    row_number,
    model,
    hardware_id,
    hardware_name,
    is_ambiguous_hardware,
    counting,
    if(chips = floor(chips), cast(chips as bigint), null) as chips,
    training_hours,
    training_flop,
    if(energy_kwh is null, used_chip_hours, chip_hours) as chip_hours,
    if(energy_kwh is null, used_watts_per_chip, null) as watts_per_chip,
    used_pue as pue,
    used_gross_kg_per_kwh as gross_kg_per_kwh,
    used_net_kg_per_kwh as net_kg_per_kwh,
    energy_mwh,
    energy_mwh * exp(-energy_ln_below) as energy_mwh_p05,
    energy_mwh * exp(energy_ln_above) as energy_mwh_p95,
    co2e_gross_t,
    co2e_gross_t * exp(-co2e_gross_ln_below) as co2e_gross_t_p05,
    co2e_gross_t * exp(co2e_gross_ln_above) as co2e_gross_t_p95,
    co2e_net_t,
    co2e_net_t * exp(-co2e_net_ln_below) as co2e_net_t_p05,
    co2e_net_t * exp(co2e_net_ln_above) as co2e_net_t_p95,
    co2e_lifecycle_t,
    co2e_lifecycle_t * exp(-co2e_lifecycle_ln_below) as co2e_lifecycle_t_p05,
    co2e_lifecycle_t * exp(co2e_lifecycle_ln_above) as co2e_lifecycle_t_p95,
    lifecycle_kg_per_kwh,
    lifecycle_basis,
    co2e_market_t,
    co2e_market_t * exp(-energy_ln_below) as co2e_market_t_p05,
    co2e_market_t * exp(energy_ln_above) as co2e_market_t_p95,
    used_market_kg_per_kwh as market_kg_per_kwh,
    market_basis,
    market_year,
    overhead_ratio,
    overhead_ratio_p05,
    overhead_ratio_p95,
    if(energy_kwh is null, chip_hours_basis, null) as chip_hours_basis,
    if(energy_kwh is null, used_watts_basis, null) as watts_basis,
    pue_basis,
    used_gross_basis as gross_basis,
    net_basis,
    intensity_basis,
    energy_basis,
    cloud_region,
    provider,
    is_assumed_provider,
    site_country,
    site_state,
    run_year,
    (select release.version from release) as dataset_version,
    if(energy_kwh is null, exp(chip_hours_ln_gsd), null) as chip_hours_gsd,
    if(energy_kwh is null, exp(watts_ln_gsd), null) as watts_gsd,
    energy_kwh,
    metering,
    within_country,
    if(energy_kwh is null, null, exp(it_energy_ln_gsd)) as energy_gsd,
    used_pue_gsd as pue_gsd,
    used_gross_gsd as gross_gsd,
    used_net_gsd as net_gsd,
    exp(lifecycle_ln_gsd) as lifecycle_gsd,
    pue_factor_year,
    gross_factor_year,
    net_factor_year,
    lifecycle_factor_year,
    if(energy_kwh is null, chip_hours_source_locator, null) as chip_hours_source_locator,
    if(energy_kwh is null, watts_source_url, null) as watts_source_url,
    if(energy_kwh is null, watts_source_locator, null) as watts_source_locator,
    pue_source_url,
    pue_source_locator,
    gross_source_url,
    gross_source_locator,
    net_source_url,
    net_source_locator,
    lifecycle_source_url,
    lifecycle_source_locator,
    market_source_url,
    market_source_locator
from formula
