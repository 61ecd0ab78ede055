"""The queries under sql/: their text, and their errors by file and line.

Does not belong here: what a query means, or on which tables it runs.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from ote.catalog import ROOT

SQL = ROOT / "sql"


class QueryError(ValueError):
    """A query under sql/ that DuckDB cannot run: its file and line, what DuckDB says, and what to do."""


def path_of(name: str) -> Path:
    """The file of a query, such as core.hardware."""
    return SQL / f"{name.replace('.', '/')}.sql"


def text(name: str) -> str:
    """A query by its name, such as core.hardware."""
    return path_of(name).read_text(encoding="utf-8")


def run(
    connection: duckdb.DuckDBPyConnection, name: str, given: list[Any] | None = None
) -> duckdb.DuckDBPyConnection:
    """Run a query by its name.

    Raises:
        QueryError: it cannot be run.
    """
    with named(path_of(name)):
        return connection.execute(text(name), given)


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Name the file in what DuckDB says of its query.

    Raises:
        QueryError: instead of an error of DuckDB.
    """
    try:
        yield
    except duckdb.Error as error:
        says, *rest = re.split(r"\n+LINE (\d+):", str(error))
        raise _error(path, says, int(rest[0]) if rest else 0) from None


@cache
def tree(query: str, path: Path) -> Any:
    """What DuckDB's parser makes of a query.

    Raises:
        QueryError: the query cannot be parsed.
    """
    parsed = json.loads(duckdb.execute("select json_serialize_sql(?)", [query]).fetchall()[0][0])
    if parsed["error"]:
        before = query.encode()[: int(parsed.get("position", 0))]
        raise _error(path, parsed["error_message"], before.count(b"\n") + 1)
    return parsed


def _error(path: Path, says: str, line: int) -> QueryError:
    where = f"{path}, line {line}" if line else f"{path}"
    return QueryError(f"{where}: {' '.join(says.split())}. Correct the query.")
