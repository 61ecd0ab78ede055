"""The rated power of accelerators by the names that logs write, from warehouse/reference/.

Belongs here: the rating that a reading is judged by. Does not belong here: which accelerator an estimate
takes (sql/estimate/runs.sql), or what it draws.
"""

import csv
import re
from functools import cache

from ote import hardware_units
from ote.places import REFERENCE


def rated_w(name: str) -> float | None:
    """The rated power of an accelerator; None if its name or its rating is not known."""
    return _ratings().get(hardware_units.words_of(name))


def is_known(name: str) -> bool:
    """Whether the dataset has an accelerator of this name, rated or not, or a part or a slice of one."""
    spelled, words = _letters(name), hardware_units.words_of(name)
    return hardware_units.named(name) is not None or any(
        spelled == _letters(known) or words == hardware_units.words_of(known) for known, _ in _names()
    )


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


@cache
def _ratings() -> dict[frozenset[str], float]:
    by_id = {row["hardware_id"]: float(row["tdp_w"]) for row in _rows("hardware") if row["tdp_w"]}
    return {hardware_units.words_of(name): by_id[each] for name, each in _names() if each in by_id}


@cache
def _names() -> tuple[tuple[str, str], ...]:
    """Each name of an accelerator, with its hardware_id."""
    columns = (("hardware", "name"), ("hardware", "hardware_id"), ("hardware_aliases", "alias"))
    return tuple((row[column], row["hardware_id"]) for table, column in columns for row in _rows(table))


def _rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
