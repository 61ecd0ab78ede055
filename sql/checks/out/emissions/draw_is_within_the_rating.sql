-- A system draws 0.15 to 1.5 times the rating of its chips. One well-known database doubled 45 models' power
-- unseen: 923 W on a chip of 450 W.
select
    emissions.run_id,
    emissions.hardware_id,
    emissions.watts_per_chip,
    hardware.tdp_w
from out.emissions as emissions
inner join core.hardware as hardware on emissions.hardware_id = hardware.hardware_id
where emissions.watts_per_chip / hardware.tdp_w not between 0.15 and 1.5
