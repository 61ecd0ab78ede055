-- Every number of Patterson et al. 2021 that can be computed: here and as printed. One row per number.
-- Energies and tonnes of runs come from emissions, all others from support.paper_terms: a product of terms with their
-- exponents, or the mean, sum or deviation of several. The allowance is what half a unit in the last printed digit of each
-- term and of the result may do.
with stated as (
    select
        number_id,
        any_value(paper_table) as paper_table,
        any_value(system) as system,
        any_value(metric) as metric,
        any_value(operation) as operation,
        max(rounded_to) as rounded_to
    from raw.paper_formulas
    group by number_id
),

groups as (
    select
        number_id,
        term_group,
        exp(sum(term_exponent * ln(term_value) order by term_index)) as group_value,
        sum(abs(term_exponent) * half_unit_fraction order by term_index) as group_fraction,
        string_agg(
            case when term_exponent < 0 then '/ ' when term_index > 1 then 'x ' else '' end
            || coalesce(term_metric || ' of ' || term_system, printf('%g', term_value))
            || if(abs(term_exponent) = 1, '', printf(' ^ %.3g', abs(term_exponent))),
            ' '
            order by term_index
        ) as group_formula
    from support.paper_terms
    group by number_id, term_group
),

sums as (
    select
        number_id,
        max(group_value) as largest,
        avg(group_value order by term_group) as mean,
        stddev_samp(group_value order by term_group) as deviation,
        max(group_fraction) as largest_fraction,
        avg(group_fraction * group_value order by term_group) as mean_half_unit,
        string_agg(group_formula, '; ' order by term_group) as terms
    from groups
    group by number_id
),

formulas as (
    select
        stated.*,
        'exp(sum(term_exponent * ln(term_value)))' as product,
        ' from support.paper_terms where number_id = ' || stated.number_id as of_terms,
        '(select ' || product || ' as v' || of_terms || ' group by term_group)' as products,
        case stated.operation
            when 'product' then sums.largest
            when 'mean' then sums.mean
            when 'complement_percent' then 100 * (1 - sums.largest)
            when 'deviation_percent' then 100 * sums.deviation / sums.mean
        end as computed_value,
        case stated.operation
            when 'complement_percent' then sums.largest_fraction * sums.largest / (1 - sums.largest)
            when 'deviation_percent' then sums.mean_half_unit / sums.deviation
            else sums.mean_half_unit / sums.mean
        end as inputs_fraction,
        case stated.operation
            when 'product' then sums.terms
            when 'mean' then 'mean of ' || sums.terms
            when 'complement_percent' then '100 x (1 - ' || sums.terms || ')'
            when 'deviation_percent' then 'standard deviation of ' || sums.terms || ', in percent of their mean'
        end as formula,
        case stated.operation
            when 'product' then 'select ' || product || of_terms
            when 'mean' then 'select avg(v) from ' || products
            when 'complement_percent' then 'select 100 * (1 - ' || product || ')' || of_terms
            when 'deviation_percent' then 'select 100 * stddev_samp(v) / avg(v) from ' || products
        end as query
    from stated
    inner join sums on stated.number_id = sums.number_id
),

computed as (
    select
        paper_table,
        system,
        metric,
        run_id,
        quantity,
        printed_value,
        computed_value,
        half_unit_fraction + inputs_fraction as rounding_allowance_fraction,
        'chip_hours x watts_per_chip x pue' || case quantity
            when 'co2e_gross_t' then ' x gross_kg_per_kwh'
            when 'co2e_net_t' then ' x net_kg_per_kwh'
            else ''
        end || ' of the run' as formula,
        'select ' || quantity || ' from emissions where run_id = ''' || run_id || '''' as query
    from support.paper_results
    union all
    select
        formulas.paper_table,
        formulas.system,
        formulas.metric,
        cast(null as varchar) as run_id,
        cast(null as varchar) as quantity,
        numbers.value as printed_value,
        formulas.computed_value,
        coalesce(formulas.rounded_to / 2 / numbers.value, numbers.half_unit_fraction)
        + formulas.inputs_fraction as rounding_allowance_fraction,
        formulas.formula,
        formulas.query
    from formulas
    inner join core.paper_numbers as numbers
        on
            formulas.paper_table = numbers.paper_table
            and formulas.system = numbers.system
            and formulas.metric = numbers.metric
)

select
    computed.paper_table,
    computed.system,
    computed.metric,
    computed.run_id,
    computed.quantity,
    computed.printed_value,
    computed.computed_value,
    computed.computed_value / computed.printed_value - 1 as relative_difference,
    computed.rounding_allowance_fraction,
    abs(relative_difference) <= computed.rounding_allowance_fraction as is_within_rounding,
    computed.formula,
    computed.query,
    differences.difference_reason
from computed
left join raw.paper_differences as differences
    on
        computed.paper_table = differences.paper_table
        and computed.system = differences.system
        and computed.metric = differences.metric
