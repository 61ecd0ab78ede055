"""Run the promises of a table by plain SQL, on any DuckDB connection with the schemas raw, core and out.

Great Expectations says the same of the same list (gx_checks.py), at ten times the cost. Does not belong
here: what is promised (promises.py), or what to do with a failure.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import duckdb

from ote import catalog
from ote.quality.promises import Promise, promises

Connection = duckdb.DuckDBPyConnection


def counts(connection: Connection, table: catalog.Table) -> list[tuple[Promise, int]]:
    """How many rows break each promise of a table, in the order of the promises.

    For a key it is the number of repeated keys, for columns and types the number of wrong columns. A table
    whose columns or types are wrong cannot be asked the rest: then only these two are in the list.

    Raises:
        duckdb.Error: the table, or one that its checks read, is not there.
    """
    shape, others = promises(table)[:2], promises(table)[2:]
    found = [(promise, _count(connection, table, promise)) for promise in shape]
    if any(count for _, count in found):
        return found
    by_row = _counts_by_row(connection, table, [promise for promise in others if promise.breaks])
    return found + [
        (promise, next(by_row) if promise.breaks else _count(connection, table, promise))
        for promise in others
    ]


def failing_rows(
    connection: Connection, table: catalog.Table, promise: Promise, limit: int | None = None
) -> list[dict[str, Any]]:
    """The rows that break a promise, by column: the key and what is wrong, or what a relation returns.

    Raises:
        duckdb.Error: the table has other columns or types than promised, or is not there.
    """
    cursor = connection.execute(_named(promise.query, table))
    names = [name for name, *_ in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in islice(iter(cursor.fetchone, None), limit)]


def _count(connection: Connection, table: catalog.Table, promise: Promise) -> int:
    query = f"select count(*) from ({_named(promise.query, table)})"
    return int(connection.execute(query).fetchall()[0][0])


def _counts_by_row(connection: Connection, table: catalog.Table, by_row: list[Promise]) -> Iterator[int]:
    """The counts of all promises that a row breaks alone, by one scan."""
    measures = ", ".join(f"count(*) filter (where {promise.breaks})" for promise in by_row)
    return iter(connection.execute(f"select {measures} from {table.name}").fetchall()[0])


def _named(query: str, table: catalog.Table) -> str:
    return query.replace("{batch}", table.name)
