"""Queries over files that may be hostile: DuckDB reads those files and nothing else, and writes nothing.

Belongs here: what a connection over files from elsewhere may do. Does not belong here: any query.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import duckdb

from ote.names import identifier, literal

MEMORY_LIMIT = "4GB"  # a Parquet file of a few kilobytes can unpack to more than a machine has
ALONE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "temp_directory": "",
    "memory_limit": MEMORY_LIMIT,
}


def connect(files: Iterable[Path], databases: dict[str, Path] | None = None) -> duckdb.DuckDBPyConnection:
    """A connection to an empty database in memory, which can read some files and do nothing else outside.

    Views and macros of an attached database can therefore read no other file. Its macros do not hide
    functions of DuckDB, since the database is not the default one.

    Args:
        files: what queries may read.
        databases: DuckDB files to attach read-only, by the name that queries have for each.

    Raises:
        duckdb.Error: a database cannot be attached.
    """
    connection = duckdb.connect(config=ALONE)
    try:
        for name, path in (databases or {}).items():
            connection.execute(f"attach {literal(path)} as {identifier(name)} (type duckdb, read_only)")
        isolate(connection, files)
    except duckdb.Error:
        connection.close()
        raise
    return connection


def pattern(path: Path) -> str:
    """A path as the functions of DuckDB that read files take it: what would be a pattern is a letter."""
    return re.sub(r"[*?\[]", r"[\g<0>]", str(path))


def isolate(connection: duckdb.DuckDBPyConnection, files: Iterable[Path]) -> None:
    """Take away from a connection every file but some, for good."""
    # DuckDB asks for the name as the query has it, and again as the file has it.
    allowed = ", ".join(literal(name) for path in files for name in dict.fromkeys((str(path), pattern(path))))
    connection.execute(f"set allowed_paths = [{allowed}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
