-- Each computed run at every Google Cloud region, and on every accelerator of its kind with a 16-bit peak that others
-- trained on. One row per run, location and chip. All other locations are in the table locations.
-- A location changes PUE and intensity; a chip changes hours (same FLOP at that chip's usual utilization) and power.
-- Hours from FLOP hold the uncertainty of one speed, which is the other chip's then; disclosed ones are carried over by it.
-- The ratio compares gross CO2e on the basis of the location's grid; it is null where the run's own grid is not known on that.
-- Net is null where nothing is known of the operator's supply. Ranks are least first, within one basis of intensities, of the
-- locations of a run and of its chips apart, and of the values as they are published. A chip's rank is 1 and the number of
-- chips that are clearly better: chips whose difference is within the uncertainty share a rank.
-- The published database has this query as a view, so it reads tables of the schema support alone, and calls nothing that
-- DuckDB 1.2 does not know (such as `if`).
with elsewhere as (
    select
        runs.run_id,
        locations.region,
        runs.hardware_id,
        locations.factor_year,
        locations.intensity_basis,
        cast(null as bigint) as clearly_better_chips,
        runs.chip_hours * runs.watts_per_chip * locations.pue / 1e6 as energy_mwh, -- Wh to MWh
        energy_mwh * locations.gross_kg_per_kwh as co2e_gross_t, -- MWh x kg/kWh is t
        energy_mwh * locations.net_kg_per_kwh as co2e_net_t, -- MWh x kg/kWh is t
        pow(ln(runs.chip_hours_gsd), 2) + pow(ln(runs.watts_gsd), 2) as energy_variance,
        sqrt(pow(z_90(), 2) * energy_variance + pow(locations.gross_ln_above, 2)) as gross_ln_above,
        sqrt(pow(z_90(), 2) * energy_variance + pow(locations.gross_ln_below, 2)) as gross_ln_below,
        sqrt(pow(z_90(), 2) * energy_variance + pow(locations.net_ln_above, 2)) as net_ln_above,
        sqrt(pow(z_90(), 2) * energy_variance + pow(locations.net_ln_below, 2)) as net_ln_below,
        case
            when runs.intensity_basis in ('unspecified', locations.intensity_basis) then runs.co2e_gross_t
            else same_basis.co2e_gross_t
        end as actual_co2e_gross_t
    from support.what_if_runs as runs
    inner join support.what_if_locations as locations on runs.run_year = locations.run_year
    left join support.gross_by_basis as same_basis
        on runs.run_id = same_basis.run_id and locations.intensity_basis = same_basis.intensity_basis
),

other_chips as (
    select
        runs.run_id,
        'actual' as region,
        chips.other_hardware_id as hardware_id,
        runs.run_year as factor_year,
        runs.intensity_basis,
        chips.clearly_better_chips,
        runs.chip_hours * chips.hours_ratio * chips.watts_per_chip * runs.pue / 1e6 as energy_mwh, -- Wh to MWh
        energy_mwh * runs.gross_kg_per_kwh as co2e_gross_t, -- MWh x kg/kWh is t
        energy_mwh * runs.net_kg_per_kwh as co2e_net_t, -- MWh x kg/kWh is t
        pow(ln(runs.chip_hours_gsd), 2)
        -- Of hours from FLOP, the speed of the own chip cancels.
        + case when runs.chip_hours_basis = 'flop_over_throughput' then 0 else pow(ln(chips.hours_ratio_gsd), 2) end
        + case
            when list_contains(string_split(chips.measured_by, ';'), runs.provider) then pow(ln(chips.own_watts_gsd), 2)
            else pow(ln(chips.watts_gsd), 2)
        end as energy_variance,
        energy_variance + pow(ln(runs.gross_kg_per_kwh_gsd), 2) as gross_variance,
        energy_variance + pow(ln(runs.net_kg_per_kwh_gsd), 2) as net_variance,
        sqrt(pow(z_90(), 2) * gross_variance + pow(runs.pue_ln_above, 2)) as gross_ln_above,
        sqrt(pow(z_90(), 2) * gross_variance + pow(runs.pue_ln_below, 2)) as gross_ln_below,
        sqrt(pow(z_90(), 2) * net_variance + pow(runs.pue_ln_above, 2)) as net_ln_above,
        sqrt(pow(z_90(), 2) * net_variance + pow(runs.pue_ln_below, 2)) as net_ln_below,
        runs.co2e_gross_t as actual_co2e_gross_t
    from support.what_if_runs as runs
    inner join support.what_if_chips as chips on runs.hardware_id = chips.hardware_id
),

imagined as (
    select
        *,
        co2e_gross_t * exp(-gross_ln_below) as gross_p05,
        co2e_gross_t * exp(gross_ln_above) as gross_p95,
        co2e_net_t * exp(-net_ln_below) as net_p05,
        co2e_net_t * exp(net_ln_above) as net_p95,
        co2e_gross_t / nullif(actual_co2e_gross_t, 0) as ratio_to_actual
    from (
        from elsewhere
        union all by name
        from other_chips
    ) as cases
),

rounded as (
    select
        imagined.run_id,
        imagined.region,
        imagined.hardware_id,
        three_digits(imagined.energy_mwh) as energy_mwh,
        three_digits(imagined.co2e_gross_t) as co2e_gross_t,
        three_digits(imagined.gross_p05) as co2e_gross_t_p05,
        three_digits(imagined.gross_p95) as co2e_gross_t_p95,
        three_digits(imagined.co2e_net_t) as co2e_net_t,
        three_digits(imagined.net_p05) as co2e_net_t_p05,
        three_digits(imagined.net_p95) as co2e_net_t_p95,
        three_digits(imagined.ratio_to_actual) as ratio_to_actual,
        imagined.clearly_better_chips,
        imagined.intensity_basis,
        imagined.factor_year
    from imagined
)

select
    run_id,
    region,
    hardware_id,
    energy_mwh,
    co2e_gross_t,
    co2e_gross_t_p05,
    co2e_gross_t_p95,
    co2e_net_t,
    co2e_net_t_p05,
    co2e_net_t_p95,
    ratio_to_actual,
    coalesce(
        clearly_better_chips + 1,
        rank() over (partition by run_id, region = 'actual', intensity_basis order by co2e_gross_t)
    ) as gross_rank,
    case
        when co2e_net_t is not null
            then
                coalesce(
                    clearly_better_chips + 1,
                    rank() over (partition by run_id, region = 'actual', intensity_basis order by co2e_net_t nulls last)
                )
    end as net_rank,
    intensity_basis,
    factor_year
from rounded
