"""What must be true of each table: what catalog.yaml promises, and the relations under sql/checks.

One neutral list, which plain_sql.py and gx_checks.py both run, so that no rule is written twice. A relation
is one query that returns the rows which break it; the comment at the top of its file is its reason, and
loosening one is a change of claim. Does not belong here: running anything.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ote import catalog
from ote.models import upstream_tables
from ote.names import literal
from ote.sql_files import SQL

CATALOG_CHECK = "keeps_its_catalog"
ROWS = "unexpected_rows_expectation"


@dataclass(frozen=True)
class Result:
    """The outcome of one promise, as the report and the records keep it."""

    check_name: str
    expectation: str
    column_name: str | None
    why: str
    success: bool
    observed: str
    unexpected_count: int
    examples: str


@dataclass(frozen=True, kw_only=True)
class Promise:
    """What must be true of a table: an expectation with its arguments, and the rows that break it by SQL.

    Attributes:
        expectation: the type in Great Expectations, which reports name too.
        arguments: what the expectation needs besides the query, as plain values.
        query: returns the rows that break it; `{batch}` stands for the table.
        breaks: the condition of a row that breaks it, where a row alone can; else empty.
    """

    expectation: str
    why: str
    check: str = CATALOG_CHECK
    arguments: dict[str, Any]
    query: str
    breaks: str = ""

    @property
    def column(self) -> str | None:
        """The column it is about, if it is about one."""
        return self.arguments.get("column")

    def kept(self, seen: dict[str, str]) -> Result:
        """The outcome where no row breaks it, with what its column holds, or the table (the empty name)."""
        return Result(
            check_name=self.check,
            expectation=self.expectation,
            column_name=self.column,
            why=self.why,
            success=True,
            observed=seen.get(self.column or "", ""),
            unexpected_count=0,
            examples="",
        )


@dataclass(frozen=True)
class Relation:
    """What must be true of a table beyond its single columns: a query that finds nothing."""

    name: str
    why: str
    query: str
    reads: tuple[str, ...]


@cache
def relations(name: str) -> tuple[Relation, ...]:
    """The relations of a table, from sql/checks/<layer>/<table>/."""
    layer, stem = name.split(".")
    return tuple(_relation(name, path) for path in sorted((SQL / "checks" / layer / stem).glob("*.sql")))


def _relation(table: str, path: Path) -> Relation:
    text = path.read_text(encoding="utf-8")
    reason = [line for line in text.splitlines() if line.startswith("--")]
    return Relation(
        name=path.stem,
        why=" ".join(line.removeprefix("--").strip() for line in reason),
        # The query is wrapped in another, so a comment at its end would swallow the wrapping.
        query=re.sub(r"[ ]*--.*", "", text).strip(),
        reads=tuple(sorted(upstream_tables(text, path) - {table})),
    )


def reads(table: catalog.Table) -> tuple[str, ...]:
    """The other tables that the checks of a table look into."""
    beside = {name for relation in relations(table.name) for name in relation.reads}
    return tuple(sorted(beside | set(table.references.values()) - {table.name}))


def promises(table: catalog.Table) -> list[Promise]:
    """Everything that must be true of a table, in the order of the report."""
    return [
        _columns(table),
        _types(table),
        _row_count(table),
        _unique(table),
        _required(table),
        *(promise for column in table.columns for promise in _limits(table, column)),
        *(_reference(table, column, target) for column, target in table.references.items()),
        *(
            Promise(
                expectation=ROWS,
                arguments={},
                why=relation.why,
                check=relation.name,
                query=_on_batch(relation.query, table),
            )
            for relation in relations(table.name)
        ),
    ]


def _columns(table: catalog.Table) -> Promise:
    names = [column.name for column in table.columns]
    promised = ", ".join(f"({place}, {literal(name)})" for place, name in enumerate(names, 1))
    seen = f"select row_number() over () as place, column_name from (describe {table.name})"
    return Promise(
        expectation="expect_table_columns_to_match_ordered_list",
        arguments={"column_list": names},
        why="Readers rely on the columns of catalog.yaml, in their order.",
        query=f"select place, promised, column_name from ({seen}) "
        f"full join (values {promised}) as catalog(place, promised) using (place) "
        "where column_name is distinct from promised order by place",
    )


def _types(table: catalog.Table) -> Promise:
    """The columns whose type is not the catalog's: one query for all, where one each costs seconds."""
    promised = ", ".join(f"('{c.name}', '{c.type.upper()}')" for c in table.columns)
    return Promise(
        expectation=ROWS,
        arguments={},
        why="Types are those of catalog.yaml.",
        # Great Expectations demands that {batch} is read somewhere.
        query=f"select column_name, column_type from (describe {table.name}) "
        f"where (column_name, column_type) not in ({promised}) and (select count(*) from {{batch}}) >= 0",
    )


def _row_count(table: catalog.Table) -> Promise:
    least = 0 if table.may_be_empty else 1
    return Promise(
        expectation="expect_table_row_count_to_be_between",
        arguments={"min_value": least},
        why="An empty table is a lost source, not a fact.",
        query=f"select count(*) as row_count from {{batch}} having count(*) < {least}",
    )


def _unique(table: catalog.Table) -> Promise:
    key = _listed(table.key)
    compound = len(table.key) > 1
    return Promise(
        expectation=f"expect_{'compound_columns' if compound else 'column_values'}_to_be_unique",
        arguments={"column_list": list(table.key)} if compound else {"column": table.key[0]},
        why="Each row is one thing, and its key finds it.",
        query=f"select {key}, count(*) as times from {{batch}} group by {key} having count(*) > 1",
    )


def _required(table: catalog.Table) -> Promise:
    """The rows that lack a required column: one query for all, as for types."""
    required = [column.name for column in table.columns if column.required]
    return _of_rows(
        required,
        " or ".join(f'"{name}" is null' for name in required),
        expectation=ROWS,
        arguments={},
        why=f"Every row needs {', '.join(required)}.",
    )


def _limits(table: catalog.Table, column: catalog.Column) -> Iterator[Promise]:
    shown = dict.fromkeys([*table.key, column.name])
    name = f'"{column.name}"'
    if column.min is not None or column.max is not None:
        low, high = _ends(column)
        ends = [f"{name} >= {_number(low)}"] if low is not None else []
        ends += [f"{name} <= {_number(high)}"] if high is not None else []
        yield _of_rows(
            shown,
            f"not ({' and '.join(ends)})",
            expectation="expect_column_values_to_be_between",
            arguments={"column": column.name, "min_value": low, "max_value": high},
            why=column.why or column.summary,
        )
    if column.values:
        yield _of_rows(
            shown,
            f"{name} not in ({', '.join(map(literal, column.values))})",
            expectation="expect_column_values_to_be_in_set",
            arguments={"column": column.name, "value_set": list(column.values)},
            why=column.summary,
        )


def _ends(column: catalog.Column) -> tuple[float | None, float | None]:
    """The least and the greatest value; a double without one of them is still a finite number."""
    if column.type != "double":
        return column.min, column.max
    low = -sys.float_info.max if column.min is None else column.min
    high = sys.float_info.max if column.max is None else column.max
    return low, high


def _reference(table: catalog.Table, column: str, target: str) -> Promise:
    shown = _listed(dict.fromkeys([*table.key, column]))
    return Promise(
        expectation=ROWS,
        arguments={},
        why=f"Every {column} must exist in {target}.",
        query=f'select {shown} from {{batch}} where "{column}" is not null '
        f'and "{column}" not in (select known."{column}" from {target} as known)',
    )


def _of_rows(shown: Iterable[str], breaks: str, **promise: Any) -> Promise:
    """A promise that a row breaks alone."""
    query = f"select {_listed(shown)} from {{batch}} where {breaks}"
    return Promise(query=query, breaks=breaks, **promise)


def _on_batch(query: str, table: catalog.Table) -> str:
    """The query with the table under its checks named as Great Expectations names it."""
    named = re.compile(rf"\b{table.layer}\.{table.stem}\b(?! as )")
    aliased = re.compile(rf"\b{table.layer}\.{table.stem}\b(?= as )")
    batch = "(select * from {batch})"  # which comes with an alias of its own
    return aliased.sub(batch, named.sub(f"{batch} as {table.stem}", query))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _number(value: float) -> str:
    """An integer as it is; a fraction as a double, which DuckDB would take for a decimal."""
    return str(value) if isinstance(value, int) else f"cast('{value!r}' as double)"
