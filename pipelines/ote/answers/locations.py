"""The names of locations that logs write, as the dataset knows them.

Belongs here: countries, states and cloud regions by any of their names, from warehouse/reference/. Does not
belong here: their grids (sql/estimate).
"""

import csv
import re
from difflib import get_close_matches
from functools import cache

from ote.ingestion.training_run_rules import at_place, location_key, regions_at
from ote.names import shown
from ote.places import REFERENCE

STATES = REFERENCE / "states.csv"
# Of names of a country: long and short forms for tables, and names of a part of it.
FORMAL = (
    r"Republic|Federation|Federative|Commonwealth|Confederation|\bof\b|,|\(|\.|\bSAR\b|\bPDR\b|"
    "Northern Ireland|Mainland|Taipei"
)


def country(*names: str) -> str:
    """The first of some names (and codes) of a country that is known, as it was given; empty if none is."""
    return next((name.strip() for name in names if location_key(name) in _countries()), "")


def country_code(name: str) -> str:
    """The two-letter code of a country; empty if it is not known."""
    return _countries().get(location_key(name), "")


def country_name(code: str) -> str:
    """The usual English name of a country: the longest that is not a formal one."""
    names = [row["alias"] for row in _rows("countries") if row["country"] == code]
    usual = [name for name in names if not re.search(FORMAL, name)]
    return max(usual or names or [code], key=lambda name: (len(name), name))


def state_name(code: str) -> str:
    """The name of a state or province, in letters that every font has."""
    return min((row["alias"] for row in _rows("states") if row["state"] == code), default=code)


def country_names() -> dict[str, str]:
    """The usual English name of each country, by its code."""
    return {code: country_name(code) for code in sorted({row["country"] for row in _rows("countries")})}


def state_names() -> dict[str, str]:
    """The name of each state and province, by its code."""
    return {code: state_name(code) for code in sorted({row["state"] for row in _rows("states")})}


def state(name: str, country_name: str) -> str:
    """The code of a state or province whose grid the database has, such as CA-QC; empty if it has none."""
    return _states().get((country_code(country_name), location_key(name)), "")


def has_states(code: str) -> bool:
    """Whether the dataset knows states or provinces of a country."""
    return any(country == code for country, _ in _states())


def is_state(name: str) -> bool:
    """Whether a name is of a state or province whose grid the database has, in any country."""
    return any(key == location_key(name) for _, key in _states())


def cloud_region(name: str) -> str:
    """The region that a cloud region or one of its zones (us-east4-a, us-east-1a) is; empty if not known.

    Azure shows eastus as East US, so spaces do not count.
    """
    lowered = _compact(name)
    for candidate in (lowered, re.sub(r"-[a-f]$", "", lowered), re.sub(r"(?<=\d)[a-f]$", "", lowered)):
        if candidate in _regions():
            return _regions()[candidate]
    return ""


def region_at(name: str, provider: str) -> str:
    """The region of a provider at a location such as Iowa; empty if there is none, or more than one."""
    found = [row for row in regions_at(name, _rows("regions")) if row["provider"] == provider]
    return found[0]["region"] if len(found) == 1 else ""


def unknown_region(name: str) -> str:
    """What to give instead of an unknown cloud region: the regions at that location, or the nearest."""
    inner = re.search(r"\(([^()]+)\)", name)  # US East (N. Virginia), as AWS shows us-east-1
    places = [inner[1].replace("N. ", "Northern "), name] if inner else [name]
    if there := next(filter(None, (at_place(place, _rows("regions")) for place in places)), ""):
        return f"{shown(name)} is a location, not a region. {there}"
    if code := country_code(name):
        return (
            f"{shown(name)} is a country, not a region: give it as the country (in a command: --country). "
            f"Its cloud regions: {_by_provider(code) or 'none known'}"
        )
    near = get_close_matches(
        name.strip().lower(), [n for n in _regions() if not n.startswith("site:")], 3, 0.4
    )
    return (
        f"{shown(name)} is not a known region. The nearest: "
        f"{', '.join(_regions()[key] for key in near) or 'none'}"
    )


def _by_provider(country: str) -> str:
    """The cloud regions of a country, grouped by provider."""
    found: dict[str, list[str]] = {}
    for row in _rows("regions"):
        if row["country"] == country and not row["region"].startswith("site:"):
            found.setdefault(row["provider"], []).append(row["region"])
    return "; ".join(f"{provider}: {', '.join(regions)}" for provider, regions in sorted(found.items()))


def unknown_country(name: str) -> str:
    """What to give instead of a country that is not known."""
    codes = {row["alias"].lower(): row["country"] for row in _rows("countries")}
    found = dict.fromkeys(codes[key] for key in get_close_matches(name.strip().lower(), codes, 3, 0.5))
    near = [f"{code} ({country_name(code)})" for code in found] or ["FR"]
    return (
        f"{shown(name)} is not a known country; expected a two-letter code or an English name, such as "
        f"{', '.join(near)}"
    )


@cache
def _rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def _countries() -> dict[str, str]:
    return {
        location_key(row[column]): row["country"]
        for row in _rows("countries")
        for column in ("country", "iso3", "alias")
    }


@cache
def _states() -> dict[tuple[str, str], str]:
    known = {}
    for row in _rows("states"):
        for name in (row["alias"], row["state"], row["state"].split("-")[1]):
            known[row["country"], location_key(name)] = row["state"]
    return known


@cache
def _regions() -> dict[str, str]:
    return {_compact(row["region"]): row["region"] for row in _rows("regions")}


def _compact(region: str) -> str:
    """A region without spaces and capitals, as sql/estimate/names.sql compares it."""
    return re.sub(r"\s", "", region).lower()
