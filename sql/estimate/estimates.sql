-- Energy and operational CO2e of a user's runs, by the ladders and the spreads of the dataset. One row per run.
-- Read top to bottom as the formula; the product of lognormal factors is lognormal (docs/method).
with spreads as (
    select
        max(ln(gsd)) filter (where factor = 'chip_hours' and basis = 'disclosed') as disclosed_hours,
        max(ln(gsd)) filter (where factor = 'chip_hours' and basis = 'chips_x_hours') as chips_x_hours,
        max(ln(gsd)) filter (where factor = 'chip_hours' and basis = 'flop_over_throughput') as flop_over_throughput,
        max(ln(gsd)) filter (where factor = 'chip_hours' and basis = 'flop_by_era') as flop_by_era,
        max(ln(gsd)) filter (where factor = 'watts_per_chip' and basis = 'disclosed_measured') as disclosed_measured,
        max(ln(gsd)) filter (where factor = 'watts_per_chip' and basis = 'hardware_mix') as hardware_mix,
        max(ln(gsd)) filter (where factor = 'watts_per_chip' and basis = 'ambiguous_variant') as ambiguous_variant,
        max(ln(gsd)) filter (where factor = 'pue' and basis = 'disclosed') as disclosed_pue,
        max(ln(gsd)) filter (where factor = 'gross_kg_per_kwh' and basis = 'disclosed') as disclosed_grid,
        max(ln(gsd)) filter (where factor = 'gross_kg_per_kwh' and basis = 'region_month') as region_month,
        max(ln(gsd)) filter (where factor = 'gross_kg_per_kwh' and basis = 'country_month') as country_month
    from method
),

years as (
    select distinct cast(period as integer) as year
    from place_factors
    where factor = 'gross_kg_per_kwh' and place = 'WORLD'
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
        avg(ln(draws.watts_per_chip)) as ln_watts,
        var_pop(ln(draws.watts_per_chip)) as ln_watts_variance,
        avg(ln(draws.sustained_flop_per_s)) as ln_flop_per_s,
        count(*) as named_runs
    from years
    cross join named
    inner join hardware_draws as draws on named.hardware_id = draws.hardware_id and draws.sustained_flop_per_s is not null
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
        least(greatest(runs.run_year, bounds.first_year), bounds.last_year) as factor_period,
        if(runs.started is null, null, strftime(runs.started, '%Y') || '-Q' || quarter(runs.started)) as run_quarter
    from runs
    cross join bounds
),

month_starts as (
    select
        row_number,
        coalesce(cloud_region, site_country) as place,
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
        place,
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
    inner join grid_months as grid on runs.place = grid.place and runs.month = grid.month
    group by runs.row_number, grid.intensity_basis, period
    having count(*) = any_value(runs.month_count)
),

typical_pue as (
    select *
    from place_factors
    where factor = 'pue' and place in ('TRAINING', 'WORLD')
    qualify row_number() over (partition by period order by place) = 1
),

factors as (
    select
        runs.*,
        case
            when runs.chip_hours is not null then 'disclosed'
            when runs.chips * runs.training_hours is not null then 'chips_x_hours'
            when runs.training_flop * draws.sustained_flop_per_s is not null then 'flop_over_throughput'
            when runs.training_flop is not null then 'flop_by_era'
        end as chip_hours_basis,
        case chip_hours_basis
            when 'disclosed' then runs.chip_hours
            when 'chips_x_hours' then runs.chips * runs.training_hours
            when 'flop_over_throughput' then runs.training_flop / draws.sustained_flop_per_s / 3600 -- seconds to hours
            when 'flop_by_era' then runs.training_flop / exp(eras.ln_flop_per_s) / 3600 -- seconds to hours
        end as used_chip_hours,
        case chip_hours_basis
            when 'disclosed' then spreads.disclosed_hours
            when 'chips_x_hours' then spreads.chips_x_hours
            when 'flop_over_throughput' then spreads.flop_over_throughput
            when 'flop_by_era' then spreads.flop_by_era
        end as chip_hours_ln_gsd,
        case chip_hours_basis
            when 'flop_over_throughput'
                then
                    format(
                        '{:.3g} FLOP at {:.3g} FLOP/s, the peak x an MFU of {:.2f} usual on the chip',
                        runs.training_flop, draws.sustained_flop_per_s, draws.mfu
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
            when runs.hardware_id is not null then watts_rung(draws.watts_basis, draws.measured_by, runs.provider)
            else 'hardware_mix'
        end as used_watts_basis,
        case used_watts_basis
            when 'disclosed_measured' then runs.watts_per_chip
            when 'hardware_mix' then exp(eras.ln_watts)
            else draws.watts_per_chip
        end as used_watts_per_chip,
        case used_watts_basis
            when 'disclosed_measured' then spreads.disclosed_measured
            when 'hardware_mix'
                then
                    sqrt( -- hours from FLOP carry the spread of the mix; where hours are known, the draw does
                        pow(spreads.hardware_mix, 2)
                        + if(chip_hours_basis in ('disclosed', 'chips_x_hours'), eras.ln_watts_variance, 0)
                    )
            else sqrt(
                pow(ln(if(used_watts_basis = draws.watts_basis, draws.own_watts_gsd, draws.watts_gsd)), 2)
                + if(runs.is_ambiguous_hardware, pow(spreads.ambiguous_variant, 2), 0)
            )
        end as watts_ln_gsd,
        if(used_watts_basis in ('disclosed_measured', 'hardware_mix'), null, draws.source_url) as watts_source_url,
        case used_watts_basis
            when 'disclosed_measured' then null
            when 'hardware_mix'
                then format('geometric mean over the accelerators of {} runs about {}', eras.named_runs, eras.run_year)
            else draws.source_locator
        end as watts_source_locator,
        coalesce(
            if(runs.pue is null, null, 'disclosed'), quarter_pue.basis, site_pue.basis, fleet_pue.basis, typical_pue.basis
        ) as pue_basis,
        coalesce(runs.pue, quarter_pue.value, site_pue.value, fleet_pue.value, typical_pue.value) as used_pue,
        case pue_basis
            when 'disclosed' then spreads.disclosed_pue
            else ln(coalesce(quarter_pue.gsd, site_pue.gsd, fleet_pue.gsd, typical_pue.gsd))
        end as pue_ln_gsd,
        if(
            pue_basis = 'disclosed', null,
            coalesce(
                quarter_pue.factor_year, site_pue.factor_year, fleet_pue.factor_year, typical_pue.factor_year
            )
        ) as pue_factor_year,
        if(
            pue_basis = 'disclosed', null,
            coalesce(quarter_pue.source_url, site_pue.source_url, fleet_pue.source_url, typical_pue.source_url)
        ) as pue_source_url,
        if(
            pue_basis = 'disclosed', null,
            coalesce(
                quarter_pue.source_locator, site_pue.source_locator, fleet_pue.source_locator, typical_pue.source_locator
            )
        ) as pue_source_locator,
        coalesce(region_grid.basis, country_grid.basis, operator_grid.basis, world_grid.basis) as grid_basis,
        coalesce(
            region_grid.intensity_basis, country_grid.intensity_basis, operator_grid.intensity_basis, world_grid.intensity_basis
        ) as grid_intensity_basis,
        months.ratio is not null and runs.gross_kg_per_kwh is null as has_months,
        case
            when runs.gross_kg_per_kwh is not null then 'disclosed'
            when has_months then replace(grid_basis, '_year', '_month')
            else grid_basis
        end as gross_basis,
        coalesce(
            runs.gross_kg_per_kwh,
            coalesce(region_grid.value, country_grid.value, operator_grid.value, world_grid.value) * coalesce(months.ratio, 1)
        ) as used_gross_kg_per_kwh,
        case gross_basis
            when 'disclosed' then spreads.disclosed_grid
            when 'region_month' then spreads.region_month
            when 'country_month' then spreads.country_month
            else ln(coalesce(region_grid.gsd, country_grid.gsd, operator_grid.gsd, world_grid.gsd))
        end as gross_ln_gsd,
        if(gross_basis = 'disclosed', 'unspecified', grid_intensity_basis) as intensity_basis,
        if(
            gross_basis = 'disclosed', null,
            coalesce(region_grid.factor_year, country_grid.factor_year, operator_grid.factor_year, world_grid.factor_year)
        ) as gross_factor_year,
        if(
            gross_basis = 'disclosed', null,
            coalesce(region_grid.source_url, country_grid.source_url, operator_grid.source_url, world_grid.source_url)
        ) as gross_source_url,
        if(
            gross_basis = 'disclosed', null,
            coalesce(
                region_grid.source_locator, country_grid.source_locator, operator_grid.source_locator, world_grid.source_locator
            )
            || if(has_months, format('; x {:.3f}, the hours of {} ({})', months.ratio, months.named, months.source), '')
        ) as gross_source_locator,
        if(supply.value is null, 'equals_gross', supply.basis) as net_basis,
        coalesce(supply.value, 1) as net_to_gross_ratio,
        sqrt(pow(gross_ln_gsd, 2) + pow(coalesce(ln(supply.gsd), 0), 2)) as net_ln_gsd,
        supply.factor_year as net_factor_year,
        supply.source_url as net_source_url,
        supply.source_locator as net_source_locator,
        spreads.disclosed_measured as metering_ln_gsd
    from dated as runs
    cross join spreads
    left join eras on runs.factor_period = eras.year
    left join hardware_draws as draws on runs.hardware_id = draws.hardware_id
    left join place_factors as quarter_pue
        on
            quarter_pue.factor = 'pue'
            and runs.cloud_region = quarter_pue.place
            and runs.run_quarter = quarter_pue.period
    left join place_factors as site_pue
        on
            site_pue.factor = 'pue'
            and runs.cloud_region = site_pue.place
            and cast(runs.factor_period as varchar) = site_pue.period
    left join place_factors as fleet_pue
        on
            fleet_pue.factor = 'pue'
            and runs.provider = fleet_pue.place
            and cast(runs.factor_period as varchar) = fleet_pue.period
    left join typical_pue on cast(runs.factor_period as varchar) = typical_pue.period
    left join place_factors as region_grid
        on
            region_grid.factor = 'gross_kg_per_kwh'
            and runs.cloud_region = region_grid.place
            and cast(runs.factor_period as varchar) = region_grid.period
    left join place_factors as country_grid
        on
            country_grid.factor = 'gross_kg_per_kwh'
            and runs.site_country = country_grid.place
            and cast(runs.factor_period as varchar) = country_grid.period
    left join place_factors as operator_grid
        on
            operator_grid.factor = 'gross_kg_per_kwh'
            and operator_grid.basis = 'provider_regions'
            and runs.provider = operator_grid.place
            and cast(runs.factor_period as varchar) = operator_grid.period
    left join place_factors as world_grid
        on
            world_grid.factor = 'gross_kg_per_kwh'
            and world_grid.place = 'WORLD'
            and cast(runs.factor_period as varchar) = world_grid.period
    left join place_factors as supply
        on
            supply.factor = 'net_to_gross_ratio'
            and runs.cloud_region = supply.place
            and cast(runs.factor_period as varchar) = supply.period
    left join months
        on
            runs.row_number = months.row_number
            and coalesce(region_grid.intensity_basis, country_grid.intensity_basis) = months.intensity_basis
            and coalesce(region_grid.factor_year, country_grid.factor_year) = cast(months.period as integer)
),

formula as (
    select
        *,
        if(energy_kwh is null, 'computed', 'measured') as energy_basis,
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
        sqrt(pow(it_energy_ln_gsd, 2) + pow(pue_ln_gsd, 2)) as energy_ln_gsd,
        sqrt(pow(energy_ln_gsd, 2) + pow(gross_ln_gsd, 2)) as co2e_gross_ln_gsd,
        sqrt(pow(energy_ln_gsd, 2) + pow(net_ln_gsd, 2)) as co2e_net_ln_gsd
    from factors
)

select
    row_number,
    model,
    hardware_id,
    hardware_name,
    is_ambiguous_hardware,
    chips,
    training_hours,
    training_flop,
    if(energy_kwh is null, used_chip_hours, chip_hours) as chip_hours,
    if(energy_kwh is null, used_watts_per_chip, null) as watts_per_chip,
    used_pue as pue,
    used_gross_kg_per_kwh as gross_kg_per_kwh,
    used_net_kg_per_kwh as net_kg_per_kwh,
    energy_mwh,
    energy_mwh * exp(-1.645 * energy_ln_gsd) as energy_mwh_p05,
    energy_mwh * exp(1.645 * energy_ln_gsd) as energy_mwh_p95,
    co2e_gross_t,
    co2e_gross_t * exp(-1.645 * co2e_gross_ln_gsd) as co2e_gross_t_p05,
    co2e_gross_t * exp(1.645 * co2e_gross_ln_gsd) as co2e_gross_t_p95,
    co2e_net_t,
    co2e_net_t * exp(-1.645 * co2e_net_ln_gsd) as co2e_net_t_p05,
    co2e_net_t * exp(1.645 * co2e_net_ln_gsd) as co2e_net_t_p95,
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
    run_year,
    if(energy_kwh is null, exp(chip_hours_ln_gsd), null) as chip_hours_gsd,
    if(energy_kwh is null, exp(watts_ln_gsd), null) as watts_gsd,
    energy_kwh,
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
