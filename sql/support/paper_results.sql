-- Energy and emissions of the runs of Patterson et al. 2021: as printed and as this dataset computes them. One row per
-- printed result. The allowance of the inputs is what rounding of days, power, PUE and intensity may do.
with run_inputs as (
    select
        run_id,
        sum(half_unit_fraction order by metric) filter (
            where metric in ('training_days', 'measured_system_average_power_w_per_chip', 'pue')
        ) as energy_inputs_fraction,
        max(half_unit_fraction) filter (where metric = 'gross_kgco2e_per_kwh') as gross_input_fraction,
        max(half_unit_fraction) filter (where metric = 'net_kgco2e_per_kwh') as net_input_fraction
    from core.paper_numbers
    where run_id is not null
    group by run_id
)

select
    numbers.paper_table,
    numbers.system,
    numbers.metric,
    numbers.run_id,
    case
        when numbers.metric in ('energy_mwh', 'energy_kwh') then 'energy_mwh'
        when numbers.metric = 'gross_tco2e' then 'co2e_gross_t'
        when numbers.metric = 'net_tco2e' then 'co2e_net_t'
    end as quantity,
    if(numbers.metric = 'energy_kwh', 1000, 1) as units_per_quantity, -- kWh per MWh
    numbers.value / units_per_quantity as printed_value,
    case quantity
        when 'energy_mwh' then emissions.energy_mwh
        when 'co2e_gross_t' then emissions.co2e_gross_t
        when 'co2e_net_t' then emissions.co2e_net_t
    end as computed_value,
    numbers.half_unit_fraction,
    run_inputs.energy_inputs_fraction
    + case quantity
        when 'co2e_gross_t' then coalesce(run_inputs.gross_input_fraction, 0)
        when 'co2e_net_t' then coalesce(run_inputs.net_input_fraction, 0)
        else 0
    end as inputs_fraction
from core.paper_numbers as numbers
inner join out.emissions as emissions on numbers.run_id = emissions.run_id
inner join run_inputs on numbers.run_id = run_inputs.run_id
where quantity is not null
