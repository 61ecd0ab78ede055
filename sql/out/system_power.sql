-- Observed and rated power per accelerator. One row per observation; power_basis and power_scope say what it covers.
select
    *,
    source_id(source_url) as source_id
from raw.system_power
