-- Power and computing capacity of the largest AI data centers over time, as Epoch AI estimates them. One row per
-- data center and date. Capacity built or planned, not the power of a training run.
select
    centers.site,
    centers.site_title,
    centers.status_date,
    centers.owner,
    centers.users,
    centers.address,
    centers.latitude,
    centers.longitude,
    centers.power_mw,
    centers.h100_equivalents,
    source_id(upstreams.url) as source_id,
    upstreams.title as source_title,
    upstreams.url as source_url
from raw.epoch_data_centers as centers
inner join raw.upstreams as upstreams on upstreams.source = 'epoch_data_centers'
