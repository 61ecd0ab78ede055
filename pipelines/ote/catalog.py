"""What every unit, column, source and table means: the entries of catalog.yaml, and looking them up.

Belongs here: the form of an entry, and what follows from it. Does not belong here: reading and judging the
file (catalog_file.py), or running anything.
"""

from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Any, ClassVar, Literal

from ote.places import ROOT as ROOT


class CatalogError(ValueError):
    """What is wrong in catalog.yaml: a line for each problem."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is written under a name: these keys and no others, with values of these types."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "forbid",
        "strict": True,
        "allow_inf_nan": False,
    }


@dataclass(frozen=True, kw_only=True)
class Dataset(Entry):
    """What the dataset as a whole is; public_url: where releases can be downloaded, if anywhere."""

    name: str
    title: str
    version: str
    license: str
    public_url: str
    creator: str
    keywords: list[str]
    method: str
    description: str
    references: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class ResultLimits(Entry):
    """How far an update may move the published results before a person must say why that is right."""

    estimate_ratio: float
    moved_fraction: float
    gone_fraction: float
    added_fraction: float
    energy_ratio: float
    large_fraction: float
    large_ratio: float
    new_region_ratio: float
    new_region_low_ratio: float
    median_ratio: float


@dataclass(frozen=True, kw_only=True)
class Value(Entry):
    """A word that a column may hold: what it means, and a few words for it in tables."""

    means: str
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Word(Entry):
    """A word of our texts: what it means, and how else it is written."""

    means: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Meaning(Entry):
    """A column as it is defined: once, for every table that has it. is_past: no source knows a later day."""

    type: Literal["varchar", "double", "bigint", "boolean", "date", "timestamp"]
    description: str
    unit: str = ""
    min: int | float | None = None
    max: int | float | None = None
    values: dict[str, Value] = field(default_factory=dict)
    why: str = ""
    earliest: date | None = None
    latest: date | None = None
    is_past: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it has a unit."""
        return self.type in ("double", "bigint")


@dataclass(frozen=True, kw_only=True)
class Renamed(Entry):
    """The old name of a column, and the version that renamed it."""

    deprecated_for: str
    since: str


@dataclass(frozen=True, kw_only=True)
class Column(Meaning):
    """A column of a table: its meaning, with the limits of the table."""

    name: str
    required: bool = False
    deprecated_for: str = ""
    deprecated_since: str = ""

    @property
    def summary(self) -> str:
        """The first sentence of the description."""
        return self.description.split(". ")[0].removesuffix(".") + "."

    @property
    def comment(self) -> str:
        """The description with the unit, as readers of the database and the dictionary see it."""
        unit = "" if self.unit in ("", "varies", "dimensionless") else f" Unit: {self.unit}."
        return self.description + unit

    def allows(self, value: float) -> bool:
        """Whether a number is within the limits."""
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)

    @property
    def range(self) -> str:
        """The least and the greatest value, for messages."""
        low = "-inf" if self.min is None else f"{self.min:g}"
        high = "inf" if self.max is None else f"{self.max:g}"
        return f"{low} to {high}"


@dataclass(frozen=True, kw_only=True)
class Range(Entry):
    """The limits that a table has for a column, instead of those of the column."""

    why: str
    min: int | float | None = None
    max: int | float | None = None


@dataclass(frozen=True, kw_only=True)
class Form(Entry):
    """A table as it is defined: what a row is, what makes it unique, its columns in order.

    references: the table in which a value must exist. group: of a public table, whom it is for. csv: the
    ending of its CSV file, or none where it has no CSV. parquet_only: the database does not have it either.
    """

    description: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    required: frozenset[str] = frozenset()
    references: dict[str, str] = field(default_factory=dict)
    limits: dict[str, Range] = field(default_factory=dict)
    may_be_empty: bool = False
    group: str = ""
    csv: Literal["csv", "csv.gz", "none"] = "csv"
    parquet_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table with its columns; old_columns: names that they had before, which the database still knows."""

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    references: dict[str, str]
    may_be_empty: bool
    group: str
    csv: str
    parquet_only: bool
    old_columns: dict[str, str]

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
        return "" if self.csv == "none" or self.parquet_only else f"csv/{self.stem}.{self.csv}"

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
class OldTable(Entry):
    """The old name of a published table: a view `of` it, with old names of columns, of some rows."""

    of: str
    columns: dict[str, str] = field(default_factory=dict)
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class OldNames(Entry):
    """Names that the published database still knows: tables, and by table the columns."""

    tables: dict[str, OldTable]
    columns: dict[str, dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class Publisher(Entry):
    """Who stands behind the addresses that begin with a prefix, and whether they may be cited in releases."""

    producer: str
    license: str | None = None
    republish: bool = True


@dataclass(frozen=True, kw_only=True)
class Leap(Entry):
    """How far a value may be from that of the period before: beyond both, a person must accept it."""

    ratio: float
    difference: float


@dataclass(frozen=True, kw_only=True)
class Mix(Entry):
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
class Limits(Entry):
    """How far the rows of a source may move before a person must accept it.

    rows_fraction, rows_gone_fraction: rows that are added or gone, of all. values_fraction: cells of a
    column that change, also from or to null, of those that are known; nulls_fraction: only those. ratio:
    cells that move by more than this factor; of up to cells_beyond_ratio a column the accepted rows stay.
    leaps: of a new period of a region, by column: more than this factor and this difference from the period
    before. mix: what a carbon intensity is held against; see Mix. frontier: by column, how many times the
    largest value known by its day a value may be; beyond it, its row is quarantined. likeness: by column, how
    many times a value may be beyond those of like models; beyond it, its row waits for a person.
    """

    rows_fraction: float
    values_fraction: float
    ratio: float
    rows_gone_fraction: float = 0.05
    cells_beyond_ratio: int = 0
    nulls_fraction: float = 0.02
    quarantined_fraction: float = 0.02
    leaps: dict[str, Leap] = field(default_factory=dict)
    frontier: dict[str, float] = field(default_factory=dict)
    likeness: dict[str, float] = field(default_factory=dict)
    mix: Mix | None = None


@dataclass(frozen=True, kw_only=True)
class Listed(Entry):
    """Files of a source that are too many for the catalog: one path a line below a header."""

    list: str
    file: str
    url: str

    @property
    def addresses(self) -> dict[str, str]:
        """The address of each file, by its name."""
        paths = (ROOT / self.list).read_text(encoding="utf-8").split("\n")[1:]
        return {self.file.format(path=path): self.url.format(path=path) for path in paths if path}


@dataclass(frozen=True, kw_only=True)
class Upstream(Entry):
    """An upstream as it is defined: who publishes it, where its files are, and what may be taken from it."""

    producer: str
    title: str
    page: str
    license: str
    citation: str
    cadence_days: int
    max_mb: float
    hosts: frozenset[str]
    immutable: bool
    limits: Limits
    table: str = ""
    files: dict[str, str] = field(default_factory=dict)
    files_from: Listed | None = None
    fallback: dict[str, str] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    mirror_only: frozenset[str] = frozenset()

    @property
    def max_bytes(self) -> int:
        """The cap for one file."""
        return int(self.max_mb * 1e6)


@dataclass(frozen=True, kw_only=True)
class Source(Upstream):
    """An upstream with its name, its table and all of its files."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Document(Entry):
    """All of catalog.yaml."""

    dataset: Dataset
    units: dict[str, str]
    words: dict[str, Word]
    columns: dict[str, Meaning | Renamed]
    publishers: dict[str, Publisher]
    result_limits: ResultLimits
    sources: dict[str, Upstream]
    groups: dict[str, str]
    old_names: OldNames
    tables: dict[str, Form]

    def unit(self, name: str) -> str:
        """The unit that a column's suffix names, the longest first; empty if it names none."""
        suffixes = sorted(self.units, key=len, reverse=True)
        return next((self.units[s] for s in suffixes if name == s or name.endswith(f"_{s}")), "")


@cache
def document() -> Document:
    """catalog.yaml.

    Raises:
        CatalogError: what is wrong in it, each with its line.
    """
    from ote import kept_catalog  # its libraries, and those of catalog_file, cost a tenth of a second

    file = ROOT / "catalog.yaml"
    return kept_catalog.read(file, ROOT / "warehouse" / kept_catalog.NAME) or judged()


def judged() -> Document:
    """catalog.yaml, read and judged, even if a build has kept a copy.

    Raises:
        CatalogError: what is wrong in it, each with its line.
    """
    from ote import catalog_file

    return catalog_file.read(ROOT / "catalog.yaml")


def dataset() -> Dataset:
    """What the dataset as a whole is."""
    return document().dataset


def public_url() -> str:
    """The address where releases can be downloaded, without a slash at its end; empty if there is none."""
    return dataset().public_url.rstrip("/")


@cache
def tables() -> dict[str, Table]:
    """All tables by qualified name."""
    return {name: _table(name, form) for name, form in document().tables.items()}


def public_tables() -> list[Table]:
    """The tables that readers get, in every form, by name."""
    return sorted((t for t in tables().values() if t.layer == "out"), key=lambda t: t.name)


def support_tables() -> list[Table]:
    """The tables that serve the commands, in schema `support` of the published database alone."""
    return sorted((t for t in tables().values() if t.layer == "support"), key=lambda t: t.name)


def published_tables() -> list[Table]:
    """All tables of the published database."""
    return [table for table in [*public_tables(), *support_tables()] if not table.parquet_only]


def groups() -> dict[str, str]:
    """The groups of the public tables, in the order in which people read them, with what is in each."""
    return document().groups


def old_tables() -> dict[str, OldTable]:
    """The names that tables had before, which the published database still knows as views."""
    return document().old_names.tables


def words() -> dict[str, Word]:
    """What the words of our texts mean, by the usual spelling of each."""
    return document().words


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
    return {name: _source(name, entry) for name, entry in document().sources.items()}


def sources_of(table: str) -> list[Source]:
    """The upstreams whose rows make up a raw table."""
    return [source for source in sources().values() if source.table == table]


def publishers() -> dict[str, Publisher]:
    """Known producers of cited sources, by the beginning of their addresses."""
    return document().publishers


def _source(name: str, entry: Upstream) -> Source:
    listed = entry.files_from.addresses if entry.files_from else {}
    files = entry.files | dict.fromkeys(sorted(entry.mirror_only), entry.page) | listed
    return Source(**vars(entry) | {"name": name, "table": entry.table or f"raw.{name}", "files": files})


def _table(name: str, form: Form) -> Table:
    never_null = {*form.key, *form.required}
    columns = [_column(column, required=column in never_null) for column in form.columns]
    return Table(
        name=name,
        description=form.description,
        key=form.key,
        columns=tuple(_within(column, form.limits.get(column.name)) for column in columns),
        references=form.references,
        may_be_empty=form.may_be_empty,
        group=form.group,
        csv=form.csv,
        parquet_only=form.parquet_only,
        old_columns=document().old_names.columns.get(name.removeprefix("out."), {}),
    )


def _within(column: Column, limits: Range | None) -> Column:
    """A column with those limits that its table has for it."""
    own = {key: end for key, end in vars(limits).items() if end is not None} if limits else {}
    return replace(column, **own)


def _column(name: str, *, required: bool) -> Column:
    """A column; one that was renamed lives on under its old name, as a copy that says so."""
    meaning = document().columns[name]
    if isinstance(meaning, Renamed):
        now, since = _column(meaning.deprecated_for, required=required), meaning.since
        says = f"Deprecated since {since}: use {now.name}, which has the same values."
        return replace(now, name=name, description=says, deprecated_for=now.name, deprecated_since=since)
    unit = meaning.unit or (document().unit(name) if meaning.is_number else "")
    return Column(**vars(meaning) | {"name": name, "required": required, "unit": unit})
