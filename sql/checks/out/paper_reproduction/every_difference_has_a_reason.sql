-- A number that rounding cannot explain needs the reason, and a reason without a difference is out of date.
select
    paper_table,
    system,
    metric,
    relative_difference,
    rounding_allowance_fraction,
    difference_reason
from out.paper_reproduction
where is_within_rounding = (difference_reason is not null)
