-- The facts that the paper publishes must give its results. For Table 4 within 1 % of energy and 2 % of tonnes; for
-- Table 1, which prints some results with two digits, within rounding.
select
    run_id,
    quantity,
    printed_value,
    computed_value,
    relative_difference,
    rounding_allowance_fraction
from out.paper_reproduction
where
    (paper_table = 'Table 4' and run_id is not null and abs(relative_difference) > if(quantity = 'energy_mwh', 0.01, 0.02))
    or (paper_table = 'Table 1' and not is_within_rounding)
