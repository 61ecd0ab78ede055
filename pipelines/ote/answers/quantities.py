"""Energies and masses as people read them: three significant digits, in the unit that fits.

Belongs here: scaling a number to a unit. Does not belong here: any computation with it.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

ENERGY_UNITS = ("µWh", "mWh", "Wh", "kWh", "MWh", "GWh", "TWh")
MASS_UNITS = ("µg", "mg", "g", "kg", "t", "kt", "Mt")
DURATIONS = ((3600, "hour"), (60, "minute"), (1, "second"), (1e-3, "millisecond"), (1e-6, "microsecond"))
LEAST_HOURS = 0.01  # fewer accelerator-hours are shown in the unit that fits
GUESS_RATIO = 100  # p95 over p05
GUESS = f"a guess: p95 is more than {GUESS_RATIO} times p05, so only the interval is given"


def energy(mwh: float) -> str:
    """An energy, e.g. 0.0131 (MWh) as "13.1 kWh"."""
    return _scaled(mwh, "MWh", ENERGY_UNITS, "Wh")


def mass(tonnes: float) -> str:
    """A mass, e.g. 0.00504 (t) as "5.04 kg"."""
    return _scaled(tonnes, "t", MASS_UNITS, "g")


def energy_interval(mwh: float, p05: float, p95: float) -> str:
    """An energy with the ends of its 90 % interval, each in the unit that fits."""
    return f"{energy(mwh)} ({energy_span(p05, p95)})"


def mass_interval(tonnes: float, p05: float, p95: float) -> str:
    """A mass with the ends of its 90 % interval, each in the unit that fits."""
    return f"{mass(tonnes)} ({mass_span(p05, p95)})"


def count(number: float) -> str:
    """A number of things, e.g. 76186 as "76,186" and 3552000 as "3.55 million"."""
    if abs(number) < 999_500:
        return significant(number) if abs(number) < 100 else f"{number:,.0f}"
    return _scaled(number / 1e6, "million", ("million", "billion", "trillion"))


def energy_span(p05: float, p95: float) -> str:
    """The two ends of an interval of energies, with the unit once where they share it."""
    return _span(energy(p05), energy(p95))


def mass_span(p05: float, p95: float) -> str:
    """The two ends of an interval of masses, with the unit once where they share it."""
    return _span(mass(p05), mass(p95))


def is_guess(p05: float, p95: float) -> bool:
    """Whether an interval is so wide that only the interval may be shown, and no number within it."""
    return p95 > GUESS_RATIO * p05


def without_guesses(row: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    """A row for programs: columns that are guesses are null, and then `null_because` says why."""
    guesses = [
        column
        for column in columns
        if row[column] is not None and is_guess(row[f"{column}_p05"], row[f"{column}_p95"])
    ]
    return {**row, **dict.fromkeys(guesses), "null_because": GUESS if guesses else None}


def duration(hours: float) -> str:
    """A time in the unit that fits, e.g. 10.0001388889 as "10 hours", 0.25 as "15 minutes"."""
    seconds = hours * 3600
    size, unit = next(
        ((size, unit) for size, unit in DURATIONS if float(f"{seconds / size:.3g}") >= 1), DURATIONS[-1]
    )
    number = seconds / size
    shown = f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
    return f"{shown} {unit}" if shown == "1" else f"{shown} {unit}s"


def chip_hours(hours: float) -> str:
    """Accelerator-hours, e.g. 3552000 as "3.55 million h"; fewer than a hundredth as a time."""
    return f"{count(hours)} h" if hours >= LEAST_HOURS else duration(hours)


def volume(m3: float) -> str:
    """A volume of water in three digits and the unit that fits."""
    for unit, per_m3 in (("m³", 1.0), ("L", 1e3), ("mL", 1e6)):
        if m3 == 0 or m3 * per_m3 >= 0.9995:
            return f"{count(m3 * per_m3)} {unit}"
    return f"{significant(m3 * 1e9)} µL"


def chip_hours_span(p05: float, p95: float) -> str:
    """The two ends of an interval of accelerator-hours, with the unit once where they share it."""
    low, high = chip_hours(p05), chip_hours(p95)
    return f"{low.removesuffix(' h') if high.endswith(' h') else low} to {high}"


def significant(value: float, digits: int = 3) -> str:
    """A number in significant digits, without an exponent and with separators for thousands."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, decimals)
    decimals = max(digits - 1 - math.floor(math.log10(abs(rounded))), 0)
    return f"{rounded:,.{decimals}f}"


def _span(low: str, high: str) -> str:
    number, unit = low.split()
    return f"{number if high.endswith(f' {unit}') else low} to {high}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: 1 run, 2 runs."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {plural or noun + 's'}"


def _scaled(number: float, unit: str, units: tuple[str, ...], usual: str = "") -> str:
    """A number of a unit in the largest unit of which there is at least one; nothing keeps its unit.

    From a thousandth of it on, no unit below the usual one is taken: 0.433 g, but 433 µg.
    """
    if number == 0:
        return f"0 {unit}"
    smallest, steps = number * 1000 ** units.index(unit), 0
    if usual and abs(smallest) >= 1000 ** (units.index(usual) - 1):
        steps = units.index(usual)
    while steps < len(units) - 1 and abs(smallest) / 1000**steps >= 999.5:  # 1,000 in three digits
        steps += 1
    return f"{significant(smallest / 1000**steps)} {units[steps]}"
