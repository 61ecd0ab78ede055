-- Watts per chip x chips x seconds is the energy of the timed window. With kWh for J, or nodes for chips, it would be
-- far off.
select
    round,
    system,
    benchmark,
    run_name,
    energy_kwh,
    watts_per_chip
from out.mlperf_energy
where abs(watts_per_chip * chips * time_to_train_s / 3.6e6 / energy_kwh - 1) > 0.01 -- J to kWh
