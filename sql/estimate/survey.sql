-- The locations and periods of runs, with the runs in them that may be wrong, and how many runs have which names: both in one
-- pass. Rows of the second kind have no location_no.
select
    location_no,
    period_no,
    month_count,
    name_no,
    is_computed,
    is_without_pue,
    count(*) as runs,
    list(row_number) filter (where may_be_wrong) as suspects
from judged
group by grouping sets ((location_no, period_no, month_count), (name_no, is_computed, is_without_pue))
