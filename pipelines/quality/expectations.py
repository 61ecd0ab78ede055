"""What must be true of each table: what catalog.yaml promises, and the relations below sql/checks.

A relation is one query that returns the rows which break it; the comment on top of its file is its
reason, and loosening one is a change of claim. Does not belong here: running anything (checks.py).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from pipelines import catalog
from pipelines.models import SQL, upstream_tables

if TYPE_CHECKING:
    import great_expectations.expectations as gxe

CATALOG_CHECK = "keeps_its_catalog"


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
    return tuple(
        _relation(name, path.stem, path.read_text(encoding="utf-8"))
        for path in sorted((SQL / "checks" / layer / stem).glob("*.sql"))
    )


def _relation(table: str, name: str, text: str) -> Relation:
    reason = [line for line in text.splitlines() if line.startswith("--")]
    return Relation(
        name=name,
        why=" ".join(line.removeprefix("--").strip() for line in reason),
        # Great Expectations wraps the query, so a comment at its end would swallow the wrapping.
        query=re.sub(r"[ ]*--.*", "", text).strip(),
        reads=tuple(sorted(upstream_tables(text) - {table})),
    )


def reads(table: catalog.Table) -> tuple[str, ...]:
    """The other tables that the checks of a table look into."""
    beside = {name for relation in relations(table.name) for name in relation.reads}
    return tuple(sorted(beside | set(table.references.values()) - {table.name}))


def expectations(table: catalog.Table) -> list["gxe.Expectation"]:
    """The expectations of a table, each with its check, its reason and its column in `meta`."""
    import great_expectations.expectations as gxe

    def meta(why: str, check: str = CATALOG_CHECK) -> dict[str, str]:
        return {"why": why, "check": check}

    promised: list[gxe.Expectation] = [
        gxe.ExpectTableColumnsToMatchOrderedList(
            column_list=[column.name for column in table.columns],
            meta=meta("Readers rely on the columns of catalog.yaml, in their order."),
        ),
        gxe.ExpectTableRowCountToBeBetween(
            min_value=0 if table.may_be_empty else 1,
            meta=meta("An empty table is a lost source, not a fact."),
        ),
        _unique(table, meta("Each row is one thing, and its key finds it.")),
        gxe.UnexpectedRowsExpectation(
            unexpected_rows_query=_wrong_types(table), meta=meta("Types are those of catalog.yaml.")
        ),
        gxe.UnexpectedRowsExpectation(
            unexpected_rows_query=_missing(table),
            meta=meta(f"Every row needs {', '.join(c.name for c in table.columns if c.required)}."),
        ),
    ]
    for column in table.columns:
        promised += _column_expectations(column, meta)
    for column_name, target in table.references.items():
        promised.append(
            gxe.UnexpectedRowsExpectation(
                unexpected_rows_query=f'select "{column_name}" from {{batch}} '
                f'where "{column_name}" is not null '
                f'and "{column_name}" not in (select known."{column_name}" from {target} as known)',
                meta=meta(f"Every {column_name} must exist in {target}."),
            )
        )
    for relation in relations(table.name):
        promised.append(
            gxe.UnexpectedRowsExpectation(
                unexpected_rows_query=_on_batch(relation.query, table),
                meta=meta(relation.why, relation.name),
            )
        )
    return promised


def _on_batch(query: str, table: catalog.Table) -> str:
    """The query with the table under its checks named as Great Expectations names it."""
    named = re.compile(rf"\b{table.layer}\.{table.stem}\b(?! as )")
    aliased = re.compile(rf"\b{table.layer}\.{table.stem}\b(?= as )")
    batch = "(select * from {batch})"  # which comes with an alias of its own
    return aliased.sub(batch, named.sub(f"{batch} as {table.stem}", query))


def _wrong_types(table: catalog.Table) -> str:
    """The columns whose type is not the catalog's: one query for all, where one each costs seconds."""
    promised = ", ".join(f"('{c.name}', '{c.type.upper()}')" for c in table.columns)
    return (
        "select column_name, data_type from duckdb_columns() "
        f"where schema_name = '{table.layer}' and table_name = '{table.stem}' "
        f"and (column_name, data_type) not in ({promised}) and exists (select 1 from {{batch}})"
    )


def _missing(table: catalog.Table) -> str:
    """The rows that lack a required column: one query for all, as for types."""
    required = [f'"{column.name}"' for column in table.columns if column.required]
    return (
        f"select {', '.join(required)} from {{batch}} "
        f"where {' or '.join(f'{column} is null' for column in required)}"
    )


def _unique(table: catalog.Table, meta: dict[str, str]) -> "gxe.Expectation":
    import great_expectations.expectations as gxe

    if len(table.key) > 1:
        return gxe.ExpectCompoundColumnsToBeUnique(column_list=list(table.key), meta=meta)
    return gxe.ExpectColumnValuesToBeUnique(column=table.key[0], meta=meta)


def _column_expectations(column: catalog.Column, meta: Any) -> Iterator["gxe.Expectation"]:
    import great_expectations.expectations as gxe

    name = column.name
    if column.min is not None or column.max is not None:
        why = column.why or f"{column.description} It cannot be less."
        yield gxe.ExpectColumnValuesToBeBetween(
            column=name, min_value=column.min, max_value=column.max, meta=meta(why)
        )
    if column.values:
        yield gxe.ExpectColumnValuesToBeInSet(
            column=name, value_set=list(column.values), meta=meta(column.description)
        )
