-- Power per chip excludes PUE, so an observation that includes the overhead must not be used.
select
    hardware_id,
    system,
    watts_per_chip
from raw.system_power
where power_basis = 'measured_system' and observation = 'independent' and includes_pue
