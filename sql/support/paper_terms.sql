-- What each number of Patterson et al. 2021 that follows from others is computed from. One row per number and term.
-- The energies and tonnes of the runs of Tables 1 and 4 are those of this dataset; other terms are as printed.
select
    formulas.number_id,
    formulas.term_group,
    formulas.term_index,
    formulas.term_table,
    formulas.term_system,
    formulas.term_metric,
    coalesce(
        formulas.constant,
        if(results.paper_table in ('Table 1', 'Table 4'), results.computed_value * results.units_per_quantity, null),
        numbers.value
    ) as term_value,
    formulas.term_exponent,
    case
        when formulas.constant is not null or numbers.is_count then 0
        when results.paper_table in ('Table 1', 'Table 4') then results.inputs_fraction
        else numbers.half_unit_fraction
    end as half_unit_fraction
from raw.paper_formulas as formulas
left join core.paper_numbers as numbers
    on
        formulas.term_table = numbers.paper_table
        and formulas.term_system = numbers.system
        and formulas.term_metric = numbers.metric
left join support.paper_results as results
    on
        formulas.term_table = results.paper_table
        and formulas.term_system = results.system
        and formulas.term_metric = results.metric
