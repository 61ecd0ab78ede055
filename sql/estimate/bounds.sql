-- Quantities of runs that cannot be, whatever the accelerator: a slip of units or of accounting. One row per run
-- and column, with what was expected. For runs to estimate and for runs of imported logs.
with quantities as (
    unpivot (
        select
            row_number,
            chips,
            training_hours,
            chip_hours,
            training_flop,
            energy_kwh
        from runs
    )
    on chips, training_hours, chip_hours, training_flop, energy_kwh
    into name column_name value given_value
),

limits as (
    select
        unnest(['chips', 'training_hours', 'chip_hours', 'training_flop', 'energy_kwh']) as column_name,
        unnest([1e7, 87600, 1e11, 1e30, 1e11]) as most,
        unnest([
            'ten million accelerators', 'ten years (87600 hours)', 'all accelerators of the world have',
            'all accelerators of the world can do', '100 TWh'
        ]) as expected
),

too_much as (
    select
        quantities.row_number,
        quantities.column_name,
        quantities.given_value,
        limits.expected
    from quantities
    inner join limits on quantities.column_name = limits.column_name and quantities.given_value > limits.most
)

select
    row_number,
    'pue' as column_name,
    case
        when pue < 1 then pue || ': expected 1 or more: energy of the data center divided by energy of its computers'
        when pue between 100 and 250 then pue || ': it looks like percent; write ' || pue / 100
        else pue || ': expected at most 2.5: energy of the data center divided by energy of its computers'
    end as message
from runs
where pue < 1 or pue > 2.5
union all
select
    row_number,
    'carbon_intensity_g_per_kwh' as column_name,
    case
        when gross_kg_per_kwh > 1.4
            then gross_kg_per_kwh * 1000 || ': no grid emits more than 1400 g CO2e per kWh; is it per MWh?'
        else
            gross_kg_per_kwh * 1000
            || ': it looks like kg per kWh; write ' || gross_kg_per_kwh * 1e6 || ' (g CO2e per kWh)'
    end as message
from runs
where gross_kg_per_kwh > 1.4 or (gross_kg_per_kwh > 0 and gross_kg_per_kwh < 0.0015)
union all
select
    row_number,
    'cfe_fraction' as column_name,
    case
        when cfe_fraction <= 100 then cfe_fraction || ': it looks like percent; write ' || cfe_fraction / 100
        else cfe_fraction || ': expected a share from 0 to 1'
    end as message
from runs
where cfe_fraction > 1
union all
select
    row_number,
    'market_g_per_kwh' as column_name,
    market_kg_per_kwh * 1000 || ': no grid emits more than 1400 g CO2e per kWh; is it per MWh?' as message
from runs
where market_kg_per_kwh > 1.4
union all
select
    row_number,
    'training_flop' as column_name,
    format('{:g}: expected FLOP (operations in all, such as 3e23), not FLOP/s, TFLOP or petaFLOP-days', training_flop)
        as message
from runs
where training_flop > 0 and training_flop < 1e9
union all
select
    row_number,
    column_name,
    format('{:g}: more than {}; is it in another unit?', given_value, expected) as message
from too_much
union all
select
    runs.row_number,
    'chips' as column_name,
    format(
        '{:.15g} for {:.15g} hours are {:g} chip-hours: more than {}; is one of them in another unit?',
        runs.chips, runs.training_hours, runs.chips * runs.training_hours, limits.expected
    ) as message
from runs
inner join limits on limits.column_name = 'chip_hours' and runs.chips * runs.training_hours > limits.most
where runs.chip_hours is null and runs.row_number not in (select too_much.row_number from too_much)
union all
select
    row_number,
    'chip_hours' as column_name,
    format('{:g} on {:g} accelerators take {:g} hours, more than ten years', chip_hours, chips, chip_hours / chips) as message
from runs
where chips > 0 and chip_hours / chips > 87600
