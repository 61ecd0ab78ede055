-- Errors of held-out powers, by the basis whose gsd they are used for, with the group that shares errors. One row per
-- basis and held-out power.
-- A draw on the operator's own systems of the chip is one error by itself: error_group is the measurement.
-- Elsewhere, what one source measured errs together, and a ratio borrowed from other chips errs for the whole chip.
-- measured_ratio takes the chips of all operators: only Google measured several chips of a kind. So does
-- measured_same_chip_elsewhere take a second paper of one operator for a stranger's: too few sources measured one chip.
select
    'measured_same_chip' as basis,
    observation_id,
    hardware_id,
    source_title,
    observation_id as error_group,
    log_ratio
from core.held_out_power
where held_out_scope = 'run' and basis = 'measured_same_chip'
union all
select
    'measured_same_chip_elsewhere' as basis,
    observation_id,
    hardware_id,
    source_title,
    source_title as error_group,
    log_ratio
from core.held_out_power
where held_out_scope = 'developer' and basis in ('measured_same_chip', 'measured_same_chip_elsewhere')
union all
select
    'measured_ratio' as basis,
    observation_id,
    hardware_id,
    source_title,
    board_of(hardware_id) as error_group,
    log_ratio
from core.held_out_power
where held_out_scope = 'run' and basis in ('measured_ratio', 'measured_ratio_elsewhere')
union all
select
    basis,
    observation_id,
    hardware_id,
    source_title,
    source_title as error_group,
    log_ratio
from core.held_out_power
where held_out_scope = 'developer' and basis in ('measured_ratio_elsewhere', 'measured_ratio_other_class')
