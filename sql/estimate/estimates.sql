-- Energy and operational CO2e of a user's runs, by the fallback orders and the uncertainties of the dataset. One row per run.
-- Read top to bottom as the formula; intervals as in out.emissions (docs/method).
with gsds as (
    select
        max(ln(gsd)) filter (where factor = 'chip_hours' and basis = 'disclosed') as disclosed_hours,
        max(ln(gsd)) filter (where factor = 'chip_hours' and basis = 'chips_x_hours') as chips_x_hours,
        max(ln(gsd)) filter (where factor = 'chip_hours' and basis = 'flop_over_throughput') as flop_over_throughput,
        max(ln(gsd)) filter (where factor = 'chip_hours' and basis = 'flop_by_era') as flop_by_era,
        max(ln(gsd)) filter (where factor = 'watts_per_chip' and basis = 'disclosed_measured') as disclosed_measured,
        max(ln(gsd)) filter (where factor = 'watts_per_chip' and basis = 'hardware_mix') as hardware_mix,
        max(ln(gsd)) filter (where factor = 'watts_per_chip' and basis = 'ambiguous_variant') as ambiguous_variant,
        max(ln(gsd)) filter (where factor = 'energy_mwh' and basis = 'reported') as accelerators_alone,
        max(ln(gsd)) filter (where factor = 'pue' and basis = 'disclosed') as disclosed_pue,
        max(ln(gsd)) filter (where factor = 'gross_kg_per_kwh' and basis = 'disclosed') as disclosed_grid,
        max(ln(gsd)) filter (where factor = 'gross_kg_per_kwh' and basis = 'region_month') as region_month,
        max(ln(gsd)) filter (where factor = 'gross_kg_per_kwh' and basis = 'region_year') as region_year,
        max(ln(gsd)) filter (where factor = 'gross_kg_per_kwh' and basis = 'country_month') as country_month
    from method
),

years as (
    select distinct cast(period as integer) as year
    from location_factors
    where factor = 'gross_kg_per_kwh' and location_id = 'WORLD'
),

named as (
    select
        training_runs.hardware_id,
        unnest([training_runs.run_year - 1, training_runs.run_year, training_runs.run_year + 1]) as run_year
    from training_runs
    where training_runs.hardware_id is not null
),

eras as (
    select
        years.year,
        named.run_year,
        avg(ln(power.watts_per_chip)) as ln_watts,
        var_pop(ln(power.watts_per_chip)) as ln_watts_variance,
        avg(ln(power.sustained_flop_per_s)) as ln_flop_per_s,
        count(*) as named_runs
    from years
    cross join named
    inner join hardware_power as power on named.hardware_id = power.hardware_id and power.sustained_flop_per_s is not null
    group by years.year, named.run_year
    qualify row_number() over (partition by years.year order by abs(named.run_year - years.year), named.run_year) = 1
),

bounds as (
    select
        min(year) as first_year,
        max(year) as last_year
    from years
),

dated as (
    select
        runs.*,
        least(greatest(runs.run_year, bounds.first_year), bounds.last_year) as factor_year,
        cast(factor_year as varchar) as factor_period,
        if(runs.started is null, null, strftime(runs.started, '%Y') || '-Q' || quarter(runs.started)) as run_quarter
    from runs
    cross join bounds
),

month_starts as (
    select
        row_number,
        coalesce(cloud_region, site_state, site_country) as location_id,
        unnest(
            generate_series(
                date_trunc('month', started),
                started + to_hours(cast(coalesce(training_hours, chip_hours / chips, 0) as bigint)),
                interval 1 month
            )
        ) as month_start
    from dated
    where started is not null and site_country is not null and gross_kg_per_kwh is null
),

run_months as (
    select
        row_number,
        location_id,
        strftime(month_start, '%Y-%m') as month,
        count(*) over (partition by row_number) as month_count
    from month_starts
),

months as (
    select
        runs.row_number,
        grid.intensity_basis,
        left(grid.month, 4) as period,
        avg(grid.month_to_year_ratio order by grid.month) as ratio,
        string_agg(grid.month, ', ' order by grid.month) as named,
        min(grid.source || ' ' || grid.zone) as source
    from run_months as runs
    inner join grid_months as grid on runs.location_id = grid.location_id and runs.month = grid.month
    group by runs.row_number, grid.intensity_basis, period
    having count(*) = any_value(runs.month_count)
),

-- The locations and periods whose PUE, grid and supply may stand for what a run does not give, best first.
locations as (
    select
        row_number,
        'pue' as factor,
        unnest([cloud_region, cloud_region, provider, 'TRAINING', 'WORLD']) as location_id,
        unnest([run_quarter, factor_period, factor_period, factor_period, factor_period]) as period,
        unnest(range(5)) as fallback_rank
    from dated
    where pue is null
    union all
    select
        row_number,
        'gross_kg_per_kwh' as factor,
        unnest([cloud_region, site_state, site_country, provider, 'WORLD']) as location_id,
        factor_period as period,
        unnest(range(5)) as fallback_rank
    from dated
    where gross_kg_per_kwh is null
    union all
    select
        row_number,
        'net_to_gross_ratio' as factor,
        unnest([cloud_region, provider]) as location_id,
        factor_period as period,
        unnest(range(2)) as fallback_rank
    from dated
),

-- The grid of a state, in the nearest year that is known: its own, or that of a cloud region in its zone.
state_grids as (
    select
        grid.country || '-' || grid.region as location_id,
        grid.year as factor_year,
        grid.carbon_intensity_g_per_kwh / 1000 as value, -- g to kg
        grid.intensity_basis,
        grid.source_url,
        grid.source_locator
    from grid_intensity as grid
    where grid.scheme = 'us_state'
    union all
    select
        zones.state as location_id,
        known.factor_year,
        any_value(known.value order by known.location_id) as value,
        any_value(known.intensity_basis order by known.location_id) as intensity_basis,
        any_value(known.source_url order by known.location_id) as source_url,
        any_value(known.source_locator order by known.location_id) || ', for ' || zones.state as source_locator
    from (
        select distinct state
        from states
        where country <> 'US'
    ) as zones
    inner join regions on zones.state = regions.grid_zone
    inner join location_factors as known
        on regions.region = known.location_id and known.factor = 'gross_kg_per_kwh' and known.basis = 'region_year'
    where cast(known.period as integer) = known.factor_year
    group by zones.state, known.factor_year
),

known_factors as (
    select
        factor,
        location_id,
        period,
        value,
        gsd,
        basis,
        intensity_basis,
        factor_year,
        source_url,
        source_locator
    from location_factors
    union all
    select
        'gross_kg_per_kwh' as factor,
        grids.location_id,
        cast(years.year as varchar) as period,
        grids.value,
        exp(gsds.region_year) as gsd,
        'region_year' as basis,
        grids.intensity_basis,
        grids.factor_year,
        grids.source_url,
        grids.source_locator
    from state_grids as grids
    cross join years
    cross join gsds
    qualify
        row_number() over (
            partition by grids.location_id, years.year order by abs(grids.factor_year - years.year), grids.factor_year
        ) = 1
),

best as (
    select
        locations.row_number,
        known.*
    from locations
    inner join known_factors as known
        on locations.factor = known.factor and locations.location_id = known.location_id and locations.period = known.period
    qualify row_number() over (partition by locations.row_number, locations.factor order by locations.fallback_rank) = 1
),

factors as (
    select
        runs.*,
        case
            when runs.chip_hours is not null then 'disclosed'
            when runs.chips * runs.training_hours is not null then 'chips_x_hours'
            when runs.training_flop * power.sustained_flop_per_s is not null then 'flop_over_throughput'
            when runs.training_flop is not null then 'flop_by_era'
        end as chip_hours_basis,
        case chip_hours_basis
            when 'disclosed' then runs.chip_hours
            when 'chips_x_hours' then runs.chips * runs.training_hours
            when 'flop_over_throughput' then runs.training_flop / power.sustained_flop_per_s / 3600 -- seconds to hours
            when 'flop_by_era' then runs.training_flop / exp(eras.ln_flop_per_s) / 3600 -- seconds to hours
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
                        runs.training_flop, power.sustained_flop_per_s, power.mfu
                    )
            when 'flop_by_era'
                then
                    format(
                        '{:.3g} FLOP at {:.3g} FLOP/s, the geometric mean over the accelerators of {} runs about {}',
                        runs.training_flop, exp(eras.ln_flop_per_s), eras.named_runs, eras.run_year
                    )
        end as chip_hours_source_locator,
        case
            when runs.watts_per_chip is not null then 'disclosed_measured'
            when runs.hardware_id is not null then power_basis_of(power.watts_basis, power.measured_by, runs.provider)
            else 'hardware_mix'
        end as used_watts_basis,
        case used_watts_basis
            when 'disclosed_measured' then runs.watts_per_chip
            when 'hardware_mix' then exp(eras.ln_watts)
            else power.watts_per_chip
        end as used_watts_per_chip,
        case used_watts_basis
            when 'disclosed_measured' then gsds.disclosed_measured
            when 'hardware_mix'
                then
                    sqrt( -- hours from FLOP carry the uncertainty of the mix; where hours are known, the power does
                        pow(gsds.hardware_mix, 2)
                        + if(chip_hours_basis in ('disclosed', 'chips_x_hours'), eras.ln_watts_variance, 0)
                    )
            else sqrt(
                pow(ln(if(used_watts_basis = power.watts_basis, power.own_watts_gsd, power.watts_gsd)), 2)
                + if(runs.is_ambiguous_hardware, pow(gsds.ambiguous_variant, 2), 0)
            )
        end as watts_ln_gsd,
        if(used_watts_basis in ('disclosed_measured', 'hardware_mix'), null, power.source_url) as watts_source_url,
        case used_watts_basis
            when 'disclosed_measured' then null
            when 'hardware_mix'
                then format('geometric mean over the accelerators of {} runs about {}', eras.named_runs, eras.run_year)
            else power.source_locator
        end as watts_source_locator,
        coalesce(pues.basis, 'disclosed') as pue_basis,
        coalesce(runs.pue, pues.value) as used_pue,
        coalesce(ln(pues.gsd), gsds.disclosed_pue) as pue_ln_gsd,
        pues.factor_year as pue_factor_year,
        pues.source_url as pue_source_url,
        pues.source_locator as pue_source_locator,
        case
            when runs.gross_kg_per_kwh is not null then 'disclosed'
            when months.ratio is not null then replace(grids.basis, '_year', '_month')
            else grids.basis
        end as gross_basis,
        coalesce(runs.gross_kg_per_kwh, grids.value * coalesce(months.ratio, 1)) as used_gross_kg_per_kwh,
        case gross_basis
            when 'disclosed' then gsds.disclosed_grid
            when 'region_month' then gsds.region_month
            when 'country_month' then gsds.country_month
            else ln(grids.gsd)
        end as gross_ln_gsd,
        coalesce(grids.intensity_basis, 'unspecified') as intensity_basis,
        grids.factor_year as gross_factor_year,
        grids.source_url as gross_source_url,
        grids.source_locator
        || if(
            months.ratio is null, '', format('; x {:.3f}, the hours of {} ({})', months.ratio, months.named, months.source)
        ) as gross_source_locator,
        supply.basis as net_basis, -- null where nothing is known of the operator's supply, and net with it
        supply.value as net_to_gross_ratio,
        sqrt(pow(gross_ln_gsd, 2) + pow(ln(supply.gsd), 2)) as net_ln_gsd,
        supply.factor_year as net_factor_year,
        supply.source_url as net_source_url,
        supply.source_locator as net_source_locator,
        coalesce(runs.metering ilike 'partly metered%', false) as is_partly_metered,
        -- The energy of a part as that of the whole errs as published energies of accelerators alone do.
        if(is_partly_metered, greatest(gsds.accelerators_alone, gsds.disclosed_measured), gsds.disclosed_measured)
            as metering_ln_gsd
    from dated as runs
    cross join gsds
    left join eras on runs.factor_year = eras.year
    left join hardware_power as power on runs.hardware_id = power.hardware_id
    left join best as pues on runs.row_number = pues.row_number and pues.factor = 'pue'
    left join best as grids on runs.row_number = grids.row_number and grids.factor = 'gross_kg_per_kwh'
    left join best as supply on runs.row_number = supply.row_number and supply.factor = 'net_to_gross_ratio'
    left join months
        on
            runs.row_number = months.row_number
            and grids.basis in ('region_year', 'country_year')
            and grids.intensity_basis = months.intensity_basis
            and grids.factor_year = cast(months.period as integer)
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
        if(
            energy_kwh is null, sqrt(pow(chip_hours_ln_gsd, 2) + pow(watts_ln_gsd, 2)), metering_ln_gsd
        ) as it_energy_ln_gsd,
        widened(pue_ln_above(used_pue, pue_ln_gsd), it_energy_ln_gsd) as energy_ln_above,
        widened(pue_ln_below(used_pue, pue_ln_gsd), it_energy_ln_gsd) as energy_ln_below,
        widened(energy_ln_above, gross_ln_gsd) as co2e_gross_ln_above,
        widened(energy_ln_below, gross_ln_gsd) as co2e_gross_ln_below,
        widened(energy_ln_above, net_ln_gsd) as co2e_net_ln_above,
        widened(energy_ln_below, net_ln_gsd) as co2e_net_ln_below
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
    if(energy_kwh is null, chip_hours_basis, null) as chip_hours_basis,
    if(energy_kwh is null, used_watts_basis, null) as watts_basis,
    pue_basis,
    gross_basis,
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
    if(energy_kwh is null, null, exp(it_energy_ln_gsd)) as energy_gsd,
    exp(pue_ln_gsd) as pue_gsd,
    exp(gross_ln_gsd) as gross_gsd,
    exp(net_ln_gsd) as net_gsd,
    pue_factor_year,
    gross_factor_year,
    net_factor_year,
    if(energy_kwh is null, chip_hours_source_locator, null) as chip_hours_source_locator,
    if(energy_kwh is null, watts_source_url, null) as watts_source_url,
    if(energy_kwh is null, watts_source_locator, null) as watts_source_locator,
    pue_source_url,
    pue_source_locator,
    gross_source_url,
    gross_source_locator,
    net_source_url,
    net_source_locator
from formula
order by row_number
