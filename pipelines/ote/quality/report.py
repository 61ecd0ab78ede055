"""One page for people: what was checked in a build, why, what was seen, which rows failed.

Stands alone (no script, no remote style), so that it reads the same offline and in a release.
"""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import jinja2

from ote import catalog, files
from ote.answers import quantities

CATALOG_CHECK = "keeps_its_catalog"
RANGE = "expect_column_values_to_be_between"
# What Great Expectations calls a rule, in words; with a column, its name comes first.
RULES = {
    RANGE: "is within its range",
    "expect_column_values_to_be_in_set": "has only known values",
    "expect_column_values_to_be_unique": "is different in every row (the key)",
    "expect_compound_columns_to_be_unique": "The key is different in every row",
    "expect_table_columns_to_match_ordered_list": "The columns are as in the catalog",
    "expect_table_row_count_to_be_between": "The table has enough rows",
}


def _counted(number: int, noun: str = "") -> str:
    return quantities.counted(number, noun) if noun else f"{number:,}"


def _page() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["counted"] = _counted
    return environment.get_template("report.html")


PAGE = _page()


@dataclass(frozen=True)
class Checked:
    """A table of the page: its name with the layer, its rows, and the outcome of each check."""

    name: str
    row_count: int
    results: list[dict[str, object]]

    @property
    def failed(self) -> int:
        """How many of its checks failed."""
        return sum(not result["success"] for result in self.results)


def render(connection: duckdb.DuckDBPyConnection, without: Collection[str] = ()) -> str:
    """The page for the checks recorded in a working database, but those of some tables."""
    recorded = connection.execute(
        "select r.name, t.row_count, r.check_name, r.expectation, r.column_name, r.why, r.success, "
        "r.observed, r.unexpected_count, r.examples "
        "from state.results as r inner join state.tables as t on r.name = t.name "
        "order by r.name, r.check_name, r.expectation, r.column_name, r.why"
    ).fetchall()
    return _page_of(tuple(row for row in recorded if row[0] not in without))


@lru_cache(maxsize=2)  # of the build and of its release
def _page_of(rows: tuple[tuple[Any, ...], ...]) -> str:
    """The page of all outcomes; a build asks for it four times."""
    tables: dict[str, Checked] = {}
    for name, row_count, check, expectation, column, why, success, observed, count, examples in rows:
        if name not in catalog.tables():  # built before the catalog lost it
            continue
        label, reason = _words(check, expectation, column, why)
        if expectation == RANGE:
            label = f"{column} {_range(catalog.tables()[name], column)}"
        result = {
            "label": label,
            "why": reason,
            "success": success,
            "observed": _plain(observed),
            "unexpected_count": count,
            "examples": json.loads(examples) if examples else [],
        }
        tables.setdefault(name, Checked(name, row_count, [])).results.append(result)
    layers: dict[str, list[Checked]] = {
        layer: [table for table in tables.values() if table.name.startswith(f"{layer}.")]
        for layer in dict.fromkeys(table.layer for table in catalog.tables().values())
    }
    in_order = sorted(
        (table for members in layers.values() for table in members), key=lambda table: not table.failed
    )
    total = sum(len(table.results) for table in in_order)
    passed = total - sum(table.failed for table in in_order)
    page: str = PAGE.render(tables=in_order, layers=layers, passed=passed, total=total)
    return page


def _words(check: str, expectation: str, column: str | None, why: str) -> tuple[str, str]:
    """A rule and its reason in words; a rule of the catalog that is a query says itself what it is.

    Other rules have the names of their files; that a table can be built at all is one of them.
    """
    if rule := RULES.get(expectation):
        return (f"{column} {rule}" if column else rule), why
    if check == CATALOG_CHECK:
        return why.rstrip("."), ""
    return check.replace("_", " ").capitalize(), why


def _range(table: catalog.Table, name: str) -> str:
    """The ends that the catalog gives a column, e.g. "is 0 to 1"."""
    column = next((column for column in table.columns if column.name == name), None)
    if column is None:  # checked before the catalog lost it
        return RULES[RANGE]
    low, high = (None if end is None else _end(end, column.unit) for end in (column.min, column.max))
    if low is None:
        return f"is at most {high}"
    return f"is at least {low}" if high is None else f"is {low} to {high}"


def _end(value: float, unit: str) -> str:
    """An end of a range: years without separators, whole numbers without decimals."""
    if unit == "year" or abs(value) >= 1e9:
        return f"{value:g}"
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def _plain(observed: str) -> str:
    """What was seen, with numbers as people read them and the empty cells only where there are any."""
    if rows := re.fullmatch(r"(\d+) rows", observed):
        return quantities.counted(int(rows[1]), "row")
    text = re.sub(r"(, )?\b0 of \d+ null$", "", observed)
    text = re.sub(r"(\d+) of (\d+) null$", lambda m: f"{int(m[1]):,} of {int(m[2]):,} empty", text)
    return re.sub(r"\d+\.\d+(e[-+]?\d+)?", lambda m: f"{float(m[0]):.4g}", text)


def write(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write the page, whole or not at all."""
    files.write(path, render(connection))
