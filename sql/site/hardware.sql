select
    h.*,
    d.watts_per_chip,
    d.watts_basis,
    d.watts_gsd
from hardware as h left join hardware_draws as d on h.hardware_id = d.hardware_id
order by h.released_date desc nulls last, h.hardware_id
