-- Tables 1 and 4 of Patterson et al. 2021, computed here and as printed. One row per run and quantity.
-- The allowance is what half a unit in the last printed digit of each input and of the result may do;
-- the values of one metric in one table count as printed to the same number of decimals.
with printed as (
    select
        paper_table,
        run_id,
        metric,
        try_cast(printed_text as double) as value,
        length(split_part(printed_text, '.', 2)) as decimals
    from raw.paper_2021_numbers
    where run_id is not null
),

half_units as (
    select
        paper_table,
        metric,
        0.5 * pow(10, -max(decimals)) as half_unit
    from printed
    where value is not null
    group by paper_table, metric
),

inputs as (
    select
        printed.paper_table,
        printed.run_id,
        printed.metric,
        printed.value,
        half_units.half_unit / printed.value as half_unit_fraction
    from printed
    inner join half_units on printed.paper_table = half_units.paper_table and printed.metric = half_units.metric
    where printed.value > 0
),

energy_inputs as (
    select
        run_id,
        sum(half_unit_fraction order by metric) as half_unit_fraction
    from inputs
    where metric in ('training_days', 'measured_system_average_power_w_per_chip', 'pue')
    group by run_id
),

intensity_inputs as (
    select
        run_id,
        max(half_unit_fraction) filter (where metric = 'gross_kgco2e_per_kwh') as gross_half_unit_fraction,
        max(half_unit_fraction) filter (where metric = 'net_kgco2e_per_kwh') as net_half_unit_fraction
    from inputs
    group by run_id
),

results as (
    select
        paper_table,
        run_id,
        case
            when metric in ('energy_mwh', 'energy_kwh') then 'energy_mwh'
            when metric = 'gross_tco2e' then 'co2e_gross_t'
            when metric = 'net_tco2e' then 'co2e_net_t'
        end as quantity,
        if(metric = 'energy_kwh', value / 1000, value) as printed_value, -- kWh to MWh
        half_unit_fraction
    from inputs
    where metric in ('energy_mwh', 'energy_kwh', 'gross_tco2e', 'net_tco2e')
)

select
    results.paper_table,
    results.run_id,
    results.quantity,
    results.printed_value,
    case results.quantity
        when 'energy_mwh' then emissions.energy_mwh
        when 'co2e_gross_t' then emissions.co2e_gross_t
        when 'co2e_net_t' then emissions.co2e_net_t
    end as computed_value,
    computed_value / results.printed_value - 1 as relative_difference,
    results.half_unit_fraction + energy_inputs.half_unit_fraction
    + case results.quantity
        when 'co2e_gross_t' then intensity_inputs.gross_half_unit_fraction
        when 'co2e_net_t' then intensity_inputs.net_half_unit_fraction
        else 0
    end as rounding_allowance_fraction,
    abs(relative_difference) <= rounding_allowance_fraction as is_within_rounding
from results
inner join out.emissions as emissions on results.run_id = emissions.run_id
inner join energy_inputs on results.run_id = energy_inputs.run_id
inner join intensity_inputs on results.run_id = intensity_inputs.run_id
