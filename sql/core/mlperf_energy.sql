-- Energy of MLPerf Training runs: the curated ones, and those that only the logs of the mirror hold. One row per run.
select
    round,
    submitter,
    submitter_name,
    system,
    hardware_id,
    chips,
    nodes,
    benchmark,
    run_index,
    run_name,
    time_to_train_s,
    energy_kwh,
    energy_nodes_kwh,
    energy_switches_kwh,
    switch_basis,
    watts_per_chip,
    measured_at,
    official_run_energy_j,
    node_logs,
    distinct_node_series,
    window_coverage_fraction,
    cooling,
    duplicate_of,
    source_title,
    source_url,
    source_locator,
    verified
from raw.mlperf_energy
union all
select
    parsed.round,
    parsed.submitter,
    parsed.submitter_name,
    parsed.system,
    aliases.hardware_id,
    parsed.chips,
    parsed.nodes,
    parsed.benchmark,
    parsed.run_index,
    parsed.run_name,
    parsed.time_to_train_s,
    parsed.energy_kwh,
    parsed.energy_nodes_kwh,
    parsed.energy_switches_kwh,
    parsed.switch_basis,
    parsed.watts_per_chip,
    parsed.measured_at,
    parsed.official_run_energy_j,
    parsed.node_logs,
    parsed.distinct_node_series,
    parsed.window_coverage_fraction,
    parsed.cooling,
    parsed.duplicate_of,
    upstreams.title as source_title,
    upstreams.url as source_url,
    parsed.source_locator,
    'primary' as verified
from raw.mlperf_training as parsed
inner join raw.upstreams as upstreams on upstreams.source = 'mlperf_training'
left join core.hardware_aliases as aliases on spelling_key(parsed.hardware) = aliases.alias_key
left join raw.mlperf_energy as curated
    on
        parsed.round = curated.round
        and parsed.submitter = curated.submitter
        and parsed.system = curated.system
        and parsed.benchmark = curated.benchmark
        and parsed.run_index = curated.run_index
where curated.run_index is null
