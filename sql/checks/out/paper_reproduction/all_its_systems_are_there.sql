-- Six systems of Table 4 and five of Table 1, three results each; a lost row would make the reproduction look whole.
select count(*) as results
from out.paper_reproduction
having count(*) <> 33
