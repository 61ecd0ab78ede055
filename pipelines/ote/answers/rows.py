"""Rows of Python as a table of DuckDB, and rows of a Parquet file in Python, without a frame library.

Belongs here: moving cells. Does not belong here: what a column means (estimate.py), or which rows a file has
(tables.py).
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from ote.names import identifier, literal


def load(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str | None]],
) -> None:
    """Make a temporary table of text, in the order of the rows; None is null.

    The cells go through a file, which is four times as fast as parameters.
    """
    types = ", ".join(f"{literal(column)}: 'varchar'" for column in columns)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rows.jsonl"
        longest = 1
        with file.open("w", encoding="ascii") as lines:
            for row in rows:
                line = json.dumps(dict(zip(columns, row, strict=True)))
                longest = max(longest, len(line))
                lines.write(f"{line}\n")
        connection.execute(
            f"create or replace temp table {identifier(table)} as from read_json({literal(file)}, "
            f"format = 'newline_delimited', columns = {{{types}}}, maximum_object_size = {longest + 1})"
        )


def of_parquet(content: bytes) -> list[dict[str, Any]]:
    """The rows of a Parquet file.

    Raises:
        duckdb.Error: it is none.
    """
    with TemporaryDirectory() as folder, duckdb.connect() as connection:
        file = Path(folder) / "rows.parquet"
        file.write_bytes(content)
        found = connection.read_parquet(str(file))
        cells = ", ".join(map(_cell, found.columns, map(str, found.types)))
        return [dict(zip(found.columns, row, strict=True)) for row in found.project(cells).fetchall()]


def _cell(column: str, kind: str) -> str:
    """A column as Python takes it; an instant of a time zone as UTC, which needs no other library."""
    name = identifier(column)
    return f"make_timestamp(epoch_us({name})) as {name}" if kind == "TIMESTAMP WITH TIME ZONE" else name
