-- The numbers that Patterson et al. 2021 prints, as values. One row per number.
-- Rounding is half a unit in the last printed digit. The values of one metric in one table count as printed to the same
-- number of decimals, except for those in scientific notation. Whole numbers without a unit, such as chips, are counts.
with printed as (
    select
        paper_table,
        system,
        run_id,
        metric,
        unit,
        try_cast(printed_text as double) as value,
        split_part(lower(printed_text), 'e', 1) as mantissa,
        try_cast(nullif(split_part(lower(printed_text), 'e', 2), '') as bigint) as power_of_ten,
        length(split_part(mantissa, '.', 2)) - coalesce(power_of_ten, 0) as own_decimals
    from raw.paper_2021_numbers
    where value > 0
),

decimals as (
    select
        *,
        max(own_decimals) filter (where power_of_ten is null) over (
            partition by paper_table, metric
        ) as metric_decimals,
        if(power_of_ten is null, metric_decimals, own_decimals) as decimals
    from printed
)

select
    paper_table,
    system,
    metric,
    run_id,
    unit,
    value,
    unit is null and decimals = 0 as is_count,
    0.5 * pow(10, -decimals) / value as half_unit_fraction
from decimals
