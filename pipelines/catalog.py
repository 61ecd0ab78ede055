"""Read catalog.yaml: what every unit, column, source and table means.

Belongs here: parsing and looking up. Does not belong here: running anything.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
LAYERS = ("raw", "core", "out")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column; the same name has the same meaning in every table."""

    name: str
    type: str
    description: str
    unit: str = ""
    min: float | None = None
    max: float | None = None
    values: tuple[str, ...] = ()
    why: str = ""
    required: bool = False

    @property
    def comment(self) -> str:
        """The description with the unit, as readers of the database and the dictionary see it."""
        unit = "" if self.unit in ("", "varies", "dimensionless") else f" Unit: {self.unit}."
        return self.description + unit


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table: what a row is, what makes it unique, its columns in order."""

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    references: dict[str, str]

    @property
    def layer(self) -> str:
        """raw, core or out."""
        return self.name.split(".")[0]

    @property
    def stem(self) -> str:
        """The name without its layer: the published name of an out table."""
        return self.name.split(".")[1]


@dataclass(frozen=True, kw_only=True)
class Publisher:
    """Who stands behind the addresses that begin with a prefix."""

    url_prefix: str
    producer: str
    license: str | None = None


@cache
def document() -> dict[str, Any]:
    """catalog.yaml as written."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "catalog.yaml").read_text(encoding="utf-8"))
    return loaded


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
    """The tables that readers get, by name."""
    return sorted((t for t in tables().values() if t.layer == "out"), key=lambda t: t.name)


def publishers() -> list[Publisher]:
    """Known producers of cited sources."""
    return [
        Publisher(url_prefix=prefix, producer=entry["producer"], license=entry.get("license"))
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
) -> Table:
    never_null = {*key, *(required or [])}
    if strangers := never_null - set(columns):
        raise KeyError(f"{name}: key or required names no column of the table: {sorted(strangers)}")
    return Table(
        name=name,
        description=description,
        key=tuple(key),
        columns=tuple(_column(column, required=column in never_null) for column in columns),
        references=references or {},
    )


def _column(name: str, *, required: bool) -> Column:
    entry = dict(document()["columns"][name])
    numeric = entry["type"] in ("double", "bigint")
    entry.setdefault("unit", unit(name) if numeric else "")
    entry["values"] = tuple(entry.get("values", ()))
    return Column(name=name, required=required, **entry)
