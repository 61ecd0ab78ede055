-- Observed and rated power per accelerator. One row per observation; power_basis and power_scope say what it covers.
select
    hardware_id,
    system,
    workload,
    provider,
    chips,
    time_to_train_s,
    single_node_chips,
    single_node_time_to_train_s,
    watts_per_chip,
    power_basis,
    power_scope,
    observation,
    measured_at,
    cooling,
    includes_pue,
    run_id,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from raw.system_power
