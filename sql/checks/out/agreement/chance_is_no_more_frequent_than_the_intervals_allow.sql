-- One figure in ten may be outside a 90 % interval by chance. If more are attributed to chance, the intervals are too
-- narrow.
select
    count(*) as figure_count,
    count(*) filter (where cause = 'chance') as chance_count
from out.agreement
having chance_count > 0.1 * figure_count
