-- Where each cloud region and site lies, and which grid serves it. One row per region.
select *
from raw.regions
