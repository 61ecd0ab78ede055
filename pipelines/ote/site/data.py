"""What the pages show, read from one release: the only module that knows names of tables and columns in SQL.

Belongs here: reading and grouping rows. Does not belong here: any HTML, or words for people.
"""

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import yaml

from ote import catalog, files
from ote.answers import quantities, where, words
from ote.answers.published import width
from ote.releases import reading, release_files

SQL = catalog.ROOT / "sql" / "site"
SOLIDITY = (*catalog.column("solidity").values,)  # best first
IDENTIFIER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9_-])?", re.ASCII)
SURE = 0.95  # two groups of locations really differ from this probability on

Row = dict[str, Any]


class BadIdentifierError(ValueError):
    """An id of a table that cannot be the name of a page."""


class Location(NamedTuple):
    """A location: tonnes of 1 MWh before PUE, its name, and the ln gsd of the tonnes."""

    t: float
    region: str
    ln_gsd: float


Group = tuple[Location, ...]  # that cannot be told apart, least emissions first


@dataclass(frozen=True)
class Data:
    """One release: its folder and its database, open for reading."""

    folder: Path
    connection: duckdb.DuckDBPyConnection

    def query(self, name: str) -> list[Row]:
        """The rows of a query of sql/site."""
        return _rows(self.connection, (SQL / f"{name}.sql").read_text(encoding="utf-8"))

    def table(self, name: str) -> list[Row]:
        """All rows of a published table."""
        return _rows(self.connection, f'from "{name}" order by all')

    @cached_property
    def manifest(self) -> Row:
        """What manifest.json says."""
        return reading.manifest(self.folder)

    @cached_property
    def checksum(self) -> str:
        """The checksum of the list of checksums, which covers every other file of the release."""
        return files.sha256_of(self.folder / reading.SUMS)

    @cached_property
    def released(self) -> str:
        """The day of the release."""
        text = (self.folder / "CITATION.cff").read_text(encoding="utf-8")
        return str(yaml.safe_load(text)["date-released"])

    @cached_property
    def runs(self) -> dict[str, Row]:
        """Runs with an estimate by id: the largest first, then limits, guesses after all others."""
        found = self.query("runs")
        for run in found:
            run["is_guess"] = quantities.is_guess(run["energy_mwh_p05"], run["energy_mwh_p95"])
            run["last"] = 2 if run["is_guess"] else int(run["covers"] in words.LIMITS)
            run["organisations"] = split(run["organisations"])
            run["countries"] = sorted({*split(run["developer_country"]), *split(run["site_country"])})
            run["domains"] = split(run["domain"], ",")
        return {run["run_id"]: run for run in sorted(found, key=lambda run: run["last"])}

    @cached_property
    def factors(self) -> dict[str, list[Row]]:
        """The factors of each run, each with its share of the uncertainty of the gross tonnes."""
        found = grouped(self.query("factors"), "run_id")
        for factors in found.values():
            variances = {
                f["factor"]: math.log(width(f["p05"], f["p95"])) ** 2
                for f in factors
                if not f["factor"].startswith("net")
            }
            total = sum(variances.values())
            for factor in factors:
                factor["share"] = variances.get(factor["factor"], 0) / total if total else 0.0
        return found

    @cached_property
    def published(self) -> dict[str, list[Row]]:
        """Published figures of each run."""
        return grouped(self.query("published"), "run_id")

    @cached_property
    def rivals(self) -> dict[str, list[Row]]:
        """Values of second sources that were not taken, of each run."""
        return grouped(self.query("rivals"), "run_id")

    @cached_property
    def hardware(self) -> dict[str, Row]:
        """Accelerators by id, the newest first."""
        return {row["hardware_id"]: row for row in self.query("hardware")}

    @cached_property
    def sources(self) -> dict[str, Row]:
        """Sources by id."""
        return {row["source_id"]: row for row in self.query("sources")}

    @cached_property
    def totals(self) -> dict[tuple[str, str], Row]:
        """Sums of whole runs by kind of group and group."""
        return {(row["group_kind"], row["group_value"]): row for row in self.table("totals")}

    @cached_property
    def regions(self) -> dict[str, list[Row]]:
        """Cloud regions and sites with their years."""
        return grouped(self.query("locations"), "region")

    @cached_property
    def grids(self) -> dict[str, list[Row]]:
        """Countries with the yearly intensity of their grid."""
        return grouped(self.query("grid"), "country")

    @cached_property
    def countries(self) -> dict[str, str]:
        """Names of countries by code."""
        names: dict[str, str] = {}
        for row in self.table("countries"):
            names[row["country"]] = max(names.get(row["country"], ""), row["alias"], key=len)
        return names | {code: rows[0]["location"] for code, rows in self.grids.items()}

    @cached_property
    def organisations(self) -> dict[str, list[Row]]:
        """The runs of each organisation, by its name."""
        found: dict[str, list[Row]] = defaultdict(list)
        for run in self.runs.values():
            for name in run["organisations"]:
                found[name].append(run)
        return dict(sorted(found.items(), key=lambda entry: entry[0].casefold()))

    @cached_property
    def slugs(self) -> dict[str, str]:
        """The name of the page of each organisation: letters and digits of its name; no two are equal."""
        found: dict[str, str] = {}
        for name in self.organisations:
            word = slug(name)
            is_own = word and word not in found.values()
            found[name] = word if is_own else f"{word or 'name'}-{sha256(name.encode()).hexdigest()[:8]}"
        return found

    @cached_property
    def elsewhere(self) -> dict[int, list[Group]]:
        """Groups of locations that really differ, for each year of a run."""
        years = {run["run_year"] for run in self.runs.values() if run["run_year"]}
        return {year: self._groups(year) for year in years}

    def _groups(self, year: int) -> list[Group]:
        groups: list[list[Location]] = []
        for location in sorted(self._locations(year)):
            first = groups[-1][0] if groups else None
            if first is None or where.chance(first.t, first.ln_gsd, location.t, location.ln_gsd) >= SURE:
                groups.append([])
            groups[-1].append(location)
        return [tuple(group) for group in groups]

    def _locations(self, year: int) -> Iterator[Location]:
        """Each location with its life-cycle intensity of the nearest year."""
        for region, rows in self.regions.items():
            known = [row for row in rows if row["intensity_basis"] == "lifecycle"]
            if known:
                row = min(known, key=lambda row: (abs(row["factor_year"] - year), row["factor_year"]))
                yield Location(row["pue"] * row["gross_kg_per_kwh"], region, math.log(row["gross_gsd"]))


def opened(folder: Path) -> Data:
    """A release, to read.

    Raises:
        MalformedReleaseError: manifest.json is not as a release has it.
        OSError, duckdb.Error: the database is missing or damaged.
    """
    connection = duckdb.connect(str(folder / release_files.DATABASE), read_only=True)
    connection.execute("set threads = 1")
    return Data(folder, connection)


@lru_cache(maxsize=2**14)
def identifier(text: str) -> str:
    """An id of a table as the name of a page.

    Raises:
        BadIdentifierError: it could lead out of the folder, or is hidden.
    """
    if not IDENTIFIER.fullmatch(text):
        raise BadIdentifierError(
            f"{text[:80]!r} cannot be the name of a page; expected letters, digits, dots and hyphens"
        )
    return text


def split(text: str | None, by: str = ";") -> list[str]:
    """The parts of a cell that holds several."""
    return [part.strip() for part in (text or "").split(by) if part.strip()]


def grouped(rows: Iterable[Row], by: str) -> dict[Any, list[Row]]:
    """Rows by the value of a column, in their order."""
    found: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[by]].append(row)
    return dict(found)


def slug(name: str) -> str:
    """Letters and digits of a name as a word of an address; empty if it has none of ASCII."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:80].strip("-")


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
