"""Read catalog.yaml: what every unit, column, source and table means.

Belongs here: parsing and looking up. Does not belong here: running anything.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
ADDRESS = re.compile(r"https?://[\w.-]+(:\d+)?(/[\w.~%+-]+)*/?", re.ASCII)  # of a folder on a web server


@dataclass(frozen=True, kw_only=True)
class Value:
    """A word that a column may hold: what it means, and a few words for it in tables."""

    means: str
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Word:
    """A word of our texts: what it means, and how else it is written."""

    means: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column; the same name has the same meaning in every table, and the same range but for `limits`."""

    name: str
    type: str
    description: str
    unit: str = ""
    min: float | None = None
    max: float | None = None
    values: dict[str, Value] = field(default_factory=dict)
    why: str = ""
    required: bool = False
    deprecated_for: str = ""
    deprecated_since: str = ""
    earliest: date | None = None
    latest: date | None = None
    is_past: bool = False  # a day that no source can know before it has come

    @property
    def comment(self) -> str:
        """The description with the unit, as readers of the database and the dictionary see it."""
        unit = "" if self.unit in ("", "varies", "dimensionless") else f" Unit: {self.unit}."
        return self.description + unit

    @property
    def range(self) -> str:
        """The least and the greatest value, for messages."""
        low = "-inf" if self.min is None else f"{self.min:g}"
        high = "inf" if self.max is None else f"{self.max:g}"
        return f"{low} to {high}"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table: what a row is, what makes it unique, its columns in order.

    group: of a public table, whom it is for: results, facts or method. csv: the ending of its CSV file,
    or none where it has no CSV.
    old_columns: the names that columns had before, which the database still knows.
    """

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    references: dict[str, str]
    may_be_empty: bool = False
    group: str = ""
    csv: str = "csv"
    old_columns: dict[str, str] = field(default_factory=dict)

    @property
    def layer(self) -> str:
        """raw, core, support or out."""
        return self.name.split(".")[0]

    @property
    def is_published(self) -> bool:
        """Whether the published database holds it."""
        return self.layer in ("out", "support")

    @property
    def csv_file(self) -> str:
        """Its CSV in a release, such as csv/emissions.csv; empty if it has none."""
        return "" if self.csv == "none" else f"csv/{self.stem}.{self.csv}"

    @property
    def parquet_file(self) -> str:
        """Its Parquet in a release, such as parquet/emissions.parquet."""
        return f"parquet/{self.stem}.parquet"

    @property
    def published_as(self) -> str:
        """Schema and name in the published database."""
        return f"{'main' if self.layer == 'out' else self.layer}.{self.stem}"

    @property
    def stem(self) -> str:
        """The name without its layer: the published name of an out table."""
        return self.name.split(".")[1]


@dataclass(frozen=True, kw_only=True)
class OldTable:
    """The old name of a published table: a view `of` it, with old names of columns, of some rows."""

    of: str
    columns: dict[str, str] = field(default_factory=dict)
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class Publisher:
    """Who stands behind the addresses that begin with a prefix."""

    url_prefix: str
    producer: str
    license: str | None = None
    is_republished: bool = True


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How far the rows of a source may move before a person must accept it.

    rows_fraction, rows_gone_fraction: rows that are added or gone, of all. values_fraction: cells of a
    column that change, also from or to null, of those that are known; nulls_fraction: only those. ratio:
    cells that move by more than this factor; of up to cells_beyond_ratio a column the accepted rows stay.
    leaps: of a new period of a region, by column: more than this factor and this difference from the period
    before. mix: what a carbon intensity is held against; see Mix. frontier: by column, how many times the
    largest value known by its day a value may be; beyond it, its row is quarantined.
    """

    rows_fraction: float
    values_fraction: float
    ratio: float
    rows_gone_fraction: float = 0.05
    cells_beyond_ratio: int = 0
    nulls_fraction: float = 0.02
    quarantined_fraction: float = 0.02
    leaps: dict[str, dict[str, float]] = field(default_factory=dict)
    frontier: dict[str, float] = field(default_factory=dict)
    mix: "Mix | None" = None


@dataclass(frozen=True, kw_only=True)
class Mix:
    """How a carbon intensity follows from other columns of its row.

    name: what it is, for messages. parts: the intensity of each column, which is a share of `whole`, or of 1
    without it; rest: of what they do not cover. rounding: how far a part may be off. Beside the year before,
    a value may leap by `ratio` (1: always looked at), and its ratio to the mix may then change by `change`.
    level: the least and the greatest ratio to the mix of a new region, or of a changed value that was within.
    """

    column: str
    name: str
    parts: dict[str, float]
    rest: float
    rounding: float
    ratio: float
    change: float
    level: tuple[float, float]
    whole: str = ""


@dataclass(frozen=True, kw_only=True)
class Source:
    """An upstream: who publishes it, where its files lie, and what may be taken from it."""

    name: str
    producer: str
    title: str
    page: str
    license: str
    citation: str
    cadence_days: int
    max_mb: float
    hosts: frozenset[str]
    immutable: bool
    table: str
    limits: Limits
    files: dict[str, str]
    fallback: dict[str, str]
    optional: frozenset[str]
    mirror_only: frozenset[str]

    @property
    def max_bytes(self) -> int:
        """The cap for one file."""
        return int(self.max_mb * 1e6)


@cache
def document() -> dict[str, Any]:
    """catalog.yaml as written."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where there is it: half a second less
    text = (ROOT / "catalog.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.load(text, loader)
    return loaded


def dataset() -> dict[str, Any]:
    """What the dataset as a whole is: its name, title, version, license and so on."""
    about: dict[str, Any] = document()["dataset"]
    return about


def public_url() -> str:
    """The address where releases can be downloaded, without a slash at its end; empty if there is none.

    Raises:
        ValueError: it is not the address of a folder on a web server.
    """
    address = dataset()["public_url"] or ""
    if address and not (isinstance(address, str) and ADDRESS.fullmatch(address)):
        raise ValueError(
            f"{ROOT / 'catalog.yaml'}: dataset.public_url is {address!r}; expected the address of a folder, "
            'such as https://data.example.org/emissions, or "" if there is none.'
        )
    return str(address).rstrip("/")


def unit(name: str) -> str:
    """The unit that a column's suffix names, the longest first; empty if it names none."""
    units: dict[str, str] = document()["units"]
    suffixes = sorted(units, key=len, reverse=True)
    return next((str(units[s]) for s in suffixes if name == s or name.endswith(f"_{s}")), "")


@cache
def tables() -> dict[str, Table]:
    """All tables by qualified name.

    Raises:
        KeyError: a table lists a column that the catalog does not define.
    """
    return {name: _table(name, **entry) for name, entry in document()["tables"].items()}


def public_tables() -> list[Table]:
    """The tables that readers get, in every form, by name."""
    return sorted((t for t in tables().values() if t.layer == "out"), key=lambda t: t.name)


def support_tables() -> list[Table]:
    """The tables that serve the commands, in schema `support` of the published database alone."""
    return sorted((t for t in tables().values() if t.layer == "support"), key=lambda t: t.name)


def published_tables() -> list[Table]:
    """All tables of the published database."""
    return [*public_tables(), *support_tables()]


def groups() -> dict[str, str]:
    """The groups of the public tables, in the order in which people read them, with what is in each."""
    named: dict[str, str] = document()["groups"]
    return named


def old_tables() -> dict[str, OldTable]:
    """The names that tables had before, which the published database still knows as views."""
    return {name: OldTable(**entry) for name, entry in document()["old_names"]["tables"].items()}


@cache
def words() -> dict[str, Word]:
    """What the words of our texts mean, by the usual spelling of each."""
    return {
        name: Word(means=entry["means"], also=tuple(entry.get("also", ())))
        for name, entry in document()["words"].items()
    }


@cache
def column(name: str) -> Column:
    """A column by its name, as every table has it.

    Raises:
        KeyError: the catalog does not define the column.
    """
    return _column(name, required=False)


def label(name: str, value: str) -> str:
    """A few words for a value of a column, such as "same chip, measured" for measured_same_chip.

    Raises:
        KeyError: the catalog does not define the value.
    """
    meaning = column(name).values[value]
    return meaning.label or value.replace("_", " ")


@cache
def sources() -> dict[str, Source]:
    """The upstreams, by name; each has the module sources/<name>.py and the file baseline/<name>.csv."""
    return {name: _source(name, **entry) for name, entry in document()["sources"].items()}


def sources_of(table: str) -> list[Source]:
    """The upstreams whose rows make up a raw table."""
    return [source for source in sources().values() if source.table == table]


def _source(
    name: str,
    *,
    hosts: list[str],
    limits: dict[str, Any],
    table: str | None = None,
    files: dict[str, str] | None = None,
    files_from: dict[str, str] | None = None,
    fallback: dict[str, str] | None = None,
    optional: list[str] | None = None,
    mirror_only: list[str] | None = None,
    **entry: Any,
) -> Source:
    return Source(
        name=name,
        hosts=frozenset(hosts),
        table=table or f"raw.{name}",
        limits=Limits(**limits | ({"mix": Mix(**limits["mix"])} if "mix" in limits else {})),
        files={
            **(files or {}),
            **dict.fromkeys(mirror_only or [], entry["page"]),
            **(_listed(**files_from) if files_from else {}),
        },
        fallback=fallback or {},
        optional=frozenset(optional or []),
        mirror_only=frozenset(mirror_only or []),
        **entry,
    )


def _listed(*, list: str, file: str, url: str) -> dict[str, str]:
    """Files of a source that are too many for this catalog: one path a line below a header."""
    paths = (ROOT / list).read_text(encoding="utf-8").split("\n")[1:]
    return {file.format(path=path): url.format(path=path) for path in paths if path}


def publishers() -> list[Publisher]:
    """Known producers of cited sources."""
    return [
        Publisher(
            url_prefix=prefix,
            producer=entry["producer"],
            license=entry.get("license"),
            is_republished=entry.get("republish", True),
        )
        for prefix, entry in document()["publishers"].items()
    ]


def _table(
    name: str,
    *,
    description: str,
    key: list[str],
    columns: list[str],
    required: list[str] | None = None,
    references: dict[str, str] | None = None,
    limits: dict[str, dict[str, Any]] | None = None,
    may_be_empty: bool = False,
    group: str = "",
    csv: str = "csv",
) -> Table:
    never_null = {*key, *(required or [])}
    own = limits or {}
    if strangers := {*never_null, *own} - set(columns):
        raise KeyError(f"{name}: key, required or limits names no column of the table: {sorted(strangers)}")
    return Table(
        name=name,
        description=description,
        key=tuple(key),
        columns=tuple(
            replace(_column(column, required=column in never_null), **own.get(column, {}))
            for column in columns
        ),
        references=references or {},
        may_be_empty=may_be_empty,
        group=group,
        csv=csv,
        old_columns=document()["old_names"]["columns"].get(name.removeprefix("out."), {}),
    )


def _column(name: str, *, required: bool) -> Column:
    """A column; one that was renamed lives on under its old name, as a copy that says so."""
    entry = dict(document()["columns"][name])
    if now := entry.get("deprecated_for"):
        renamed = _column(now, required=required)
        says = f"Deprecated since {entry['since']}: use {now}, which has the same values."
        return replace(
            renamed, name=name, description=says, deprecated_for=now, deprecated_since=entry["since"]
        )
    numeric = entry["type"] in ("double", "bigint")
    entry.setdefault("unit", unit(name) if numeric else "")
    entry["values"] = _values(name, entry.get("values", {}))
    return Column(name=name, required=required, **entry)


def _values(name: str, entry: Any) -> dict[str, Value]:
    """The values of a column; each must say what it means, and may have a label."""
    try:
        return {str(value): Value(**meaning) for value, meaning in entry.items()}
    except (AttributeError, TypeError) as error:
        raise KeyError(
            f"{name}: each of its values needs {{means: a sentence}}, maybe a label ({error})"
        ) from None
