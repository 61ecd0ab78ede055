-- Which runs problems.sql may name: true for each that it does, and for few others, so that it need not read all runs of a
-- large file. One row per run.
select
    runs.row_number,
    runs.name_no,
    runs.location_no,
    runs.period_no,
    runs.month_count,
    runs.energy_kwh is null as is_computed,
    runs.pue is null as is_without_pue,
    coalesce(
        runs.has_doubtful_cell
        or runs.has_doubtful_number
        or is_bad_text(runs.model)
        or is_bad_text(runs.metering)
        -- least() skips nulls
        or least(runs.chips, runs.training_hours, runs.chip_hours, runs.training_flop, runs.watts_per_chip, runs.energy_kwh)
        <= 0
        or runs.pue not between 1 and 2.5
        or (runs.gross_kg_per_kwh not between 0.0015 and 1.4 and runs.gross_kg_per_kwh <> 0)
        or runs.cfe_fraction is not null -- the share of the grid may not be known
        or runs.market_kg_per_kwh not between 0 and 1.4
        or runs.training_flop not between 1e9 and 1e30
        or runs.chips > 1e7
        or runs.training_hours > 87600
        or greatest(runs.chip_hours, runs.energy_kwh, runs.chips * runs.training_hours) > 1e11
        or runs.chip_hours / runs.chips > 87600
        or abs(runs.chip_hours / (runs.chips * runs.training_hours) - 1) > 0.02
        or coalesce(runs.energy_kwh, runs.known_chip_hours, runs.training_flop) is null
        or (runs.watts_per_chip is not null and runs.energy_kwh is not null)
        or (runs.metering is not null and runs.energy_kwh is null)
        or (runs.hardware is not null and runs.hardware_id is null and runs.energy_kwh is null)
        or not coalesce(
            is_of_rating(runs.watts_per_chip, powers.tdp_w, host_allowance_w(runs.chips)),
            runs.watts_per_chip between 5 and 30000
        )
        or runs.energy_kwh * 1000 / runs.known_chip_hours -- kWh to Wh
        not between 0.05 * powers.tdp_w and 1.5 * powers.tdp_w + host_allowance_w(runs.chips)
        or runs.training_flop > runs.known_chip_hours * 3600 * powers.peak_flop_per_s -- hours to seconds
        or (
            runs.hardware_id is not null
            and (
                (powers.watts_per_chip is null and runs.watts_per_chip is null)
                or (powers.sustained_flop_per_s is null and runs.known_chip_hours is null)
            )
            and runs.energy_kwh is null
        ),
        false
    ) as may_be_wrong
from runs
inner join powers on runs.power_no = powers.power_no
