-- There are six systems of Table 4, five of Table 1 and one of footnote 24, with their results, and every number with a
-- formula. If a row were lost, the reproduction would still look complete.
select
    count(quantity) as results,
    count(*) as numbers
from out.paper_reproduction
having
    count(quantity) <> 35
    or count(*) <> 35 + (
        select count(distinct terms.number_id)
        from support.paper_terms as terms
    )
