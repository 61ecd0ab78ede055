-- Average system draw per chip of every accelerator while training, and how sure it is. One row per accelerator.
-- Measured on that chip, else its rating x measured over rated of its generation or kind: see core.chip_power.
select
    power.hardware_id,
    power.watts_per_chip,
    power.watts_basis,
    method.gsd as watts_gsd,
    throughput.mfu,
    throughput.sustained_flop_per_s
from core.chip_power as power
inner join core.method as method on method.factor = 'watts_per_chip' and power.watts_basis = method.basis
left join core.throughput as throughput on power.hardware_id = throughput.hardware_id
