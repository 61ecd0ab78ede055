-- One figure in ten may be outside a 90 % interval by chance. If more are attributed to chance, the intervals are too
-- narrow.
with figures as (
    select count(*) as figure_count
    from out.agreement
)

select
    any_value(figures.figure_count) as figure_count,
    count(*) as chance_count
from out.disagreements as disagreements
cross join figures
where disagreements.cause = 'chance'
having count(*) > 0.1 * any_value(figures.figure_count)
