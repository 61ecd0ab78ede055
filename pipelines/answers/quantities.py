"""Energies and masses as people read them: three significant digits, in the unit that fits.

Belongs here: scaling a number to a unit. Does not belong here: any computation with it.
"""

import math

ENERGY_UNITS = ("Wh", "kWh", "MWh", "GWh", "TWh")
MASS_UNITS = ("g", "kg", "t", "kt", "Mt")


def energy(mwh: float) -> str:
    """An energy, e.g. 0.0131 (MWh) as "13.1 kWh"."""
    return _scaled(mwh * 1e6, ENERGY_UNITS)  # MWh to Wh


def mass(tonnes: float) -> str:
    """A mass, e.g. 0.00504 (t) as "5.04 kg"."""
    return _scaled(tonnes * 1e6, MASS_UNITS)  # t to g


def energy_interval(mwh: float, p05: float, p95: float) -> str:
    """An energy with the ends of its 90 % interval, each in the unit that fits."""
    return f"{energy(mwh)} ({energy(p05)} to {energy(p95)})"


def mass_interval(tonnes: float, p05: float, p95: float) -> str:
    """A mass with the ends of its 90 % interval, each in the unit that fits."""
    return f"{mass(tonnes)} ({mass(p05)} to {mass(p95)})"


def significant(value: float, digits: int = 3) -> str:
    """A number in significant digits, without an exponent and with separators for thousands."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, decimals)
    decimals = max(digits - 1 - math.floor(math.log10(abs(rounded))), 0)
    return f"{rounded:,.{decimals}f}"


def _scaled(smallest: float, units: tuple[str, ...]) -> str:
    """A number of the smallest unit in the largest one of which there is at least one."""
    steps = 0
    while steps < len(units) - 1 and abs(float(f"{smallest / 1000**steps:.3g}")) >= 1000:
        steps += 1
    return f"{significant(smallest / 1000**steps)} {units[steps]}"
