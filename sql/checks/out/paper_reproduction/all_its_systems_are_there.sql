-- There are six systems of Table 4 and five of Table 1, with three results each. If a row were lost, the reproduction
-- would still look complete.
select count(*) as results
from out.paper_reproduction
having count(*) <> 33
