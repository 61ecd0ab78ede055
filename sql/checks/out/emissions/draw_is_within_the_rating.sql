-- A system uses 0.15 to 1.5 times the rated power of its accelerators. In a well-known database, the power of 45
-- models doubled unnoticed: 923 W for a chip rated at 450 W.
select
    emissions.run_id,
    emissions.hardware_id,
    emissions.watts_per_chip,
    hardware.tdp_w
from out.emissions as emissions
inner join core.hardware as hardware on emissions.hardware_id = hardware.hardware_id
where emissions.watts_per_chip / hardware.tdp_w not between 0.15 and 1.5
