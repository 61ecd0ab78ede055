"""The rated power of accelerators by the names that logs write, from warehouse/reference/.

Belongs here: the rating that a reading is judged by. Does not belong here: which accelerator an estimate
takes (sql/estimate/runs.sql), or what it draws.
"""

import csv
from functools import cache

from ote import hardware_units
from ote.places import REFERENCE


def rated_w(name: str) -> float | None:
    """The rated power of an accelerator; None if its name or its rating is not known."""
    return _ratings().get(hardware_units.words_of(name))


@cache
def _ratings() -> dict[frozenset[str], float]:
    ratings: dict[frozenset[str], float] = {}
    by_id = {row["hardware_id"]: float(row["tdp_w"]) for row in _rows("hardware") if row["tdp_w"]}
    named = [
        (row[column], row["hardware_id"]) for row in _rows("hardware") for column in ("name", "hardware_id")
    ]
    named += [(row["alias"], row["hardware_id"]) for row in _rows("hardware_aliases")]
    for name, hardware_id in named:
        if hardware_id in by_id:
            ratings[hardware_units.words_of(name)] = by_id[hardware_id]
    return ratings


def _rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
