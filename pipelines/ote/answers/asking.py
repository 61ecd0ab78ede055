"""What runs are asked for, in the words that people give: `ote find`, ote.find.

Belongs here: reading each word, and refusing one that cannot be. Does not belong here: the search
(search.py), or printing (cli/runs.py).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import duckdb

from ote import catalog
from ote.answers import locations, names, quantities, search
from ote.errors import BadQuestionError

# In MWh. Without the two smallest: people write MWh in small letters.
ENERGY_UNITS = {unit.lower(): 1000.0**power for power, unit in enumerate(quantities.ENERGY_UNITS[2:], -2)}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked for, each as search.Wanted has it, in words; what is empty is not asked for."""

    words: Sequence[str] = ()
    developer: str = ""
    country: str = ""
    year: str = ""
    hardware: str = ""
    domain: str = ""
    covers: str = ""
    hours: Sequence[str] = ()
    within: float | None = None
    min_energy: str = ""


def wanted(connection: duckdb.DuckDBPyConnection, asked: Asked) -> search.Wanted:
    """What runs must have.

    Raises:
        BadQuestionError: a value is not known or cannot be read; the nearest is named.
    """
    if asked.within is not None and not asked.within >= 1:
        raise BadQuestionError(f"--within {asked.within:g}: expected a factor of 1 or more, such as 2.")
    meant = search.Wanted(
        words=asked.words,
        developer=asked.developer.strip(),
        country=_country(connection, asked.country.strip()),
        years=_years(asked.year.strip()),
        hardware=asked.hardware.strip(),
        domain=_domain(connection, asked.domain.strip()),
        covers=_value("--covers", asked.covers, catalog.column("covers").values),
        bases=[basis for name in asked.hours for basis in _bases(name)],
        min_energy_mwh=_energy(asked.min_energy.strip()),
        within=asked.within,
    )
    _refuse_unknown(connection, meant)
    return meant


def _bases(name: str) -> tuple[str, ...]:
    """The bases of hours that a name stands for: itself, or all ways of publishing them."""
    known = ("published", *catalog.column("chip_hours_basis").values, "reported")
    return search.PUBLISHED if name == "published" else (_value("--hours", name, known),)


def _refuse_unknown(connection: duckdb.DuckDBPyConnection, meant: search.Wanted) -> None:
    """Refuse an accelerator or a developer that no run at all has."""
    for option, alone, name in (
        ("--hardware", search.Wanted(hardware=meant.hardware), meant.hardware),
        ("--developer", search.Wanted(developer=meant.developer), meant.developer),
    ):
        if name and not search.search(connection, alone):
            known = search.spellings(connection, option.removeprefix("--"))
            near = names.nearest_spellings(name, known)
            raise BadQuestionError(
                f"{option} {name}: no run with an estimate has it. The nearest: {', '.join(near)}."
            )


def _country(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """The code of a country given by code or name."""
    if not name:
        return ""
    rows = connection.execute(
        "select distinct country from support.countries "
        "where lower(alias) = lower($name) or country = upper($name)",
        {"name": name},
    ).fetchall()
    if len(rows) != 1:
        raise BadQuestionError(f"--country {locations.unknown_country(name)}.")
    return str(rows[0][0])


def _domain(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    if not name:
        return ""
    query = "select distinct unnest(string_split(domain, ',')) from emissions where domain is not null"
    known = sorted(row[0] for row in connection.execute(query).fetchall())
    if name.lower() not in known:
        raise BadQuestionError(
            f"--domain {name}: expected one of {', '.join(known)}.{_did_you_mean(name, known)}"
        )
    return name


def _years(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    first, _, last = text.partition("-")
    if not (first.isdecimal() and len(first) == 4 and (not last or (last.isdecimal() and len(last) == 4))):
        raise BadQuestionError(
            f"--year {text}: expected a year such as 2023, or the first and the last: 2020-2023."
        )
    if last and int(last) < int(first):
        raise BadQuestionError(f"--year {text}: the last year is before the first; write {last}-{first}.")
    return int(first), int(last or first)


def _value(option: str, name: str, known: Collection[str]) -> str:
    if name and name not in known:
        raise BadQuestionError(
            f"{option} {name}: expected one of {', '.join(known)}.{_did_you_mean(name, known)}"
        )
    return name


def _did_you_mean(name: str, known: Collection[str]) -> str:
    """The value that is nearest to a mistyped one, if one is near."""
    near = get_close_matches(name.lower(), known, 1, 0.5)
    return f" Did you mean {near[0]}?" if near else ""


def _energy(text: str) -> float | None:
    """An energy in MWh; a number without a unit is MWh."""
    if not text:
        return None
    number = text.rstrip("GHKMTWghkmtw ")
    unit = text[len(number) :].strip().lower() or "mwh"
    try:
        energy = float(number.replace(",", "")) * ENERGY_UNITS[unit]
    except (ValueError, KeyError):
        energy = -1.0
    if not 0 <= energy < float("inf"):
        raise BadQuestionError(f"--min-energy {text}: expected an energy such as 500 (MWh), 500MWh or 2GWh.")
    return energy
