"""The runs in files: which files an address means, and their rows as a relation of DuckDB, numbered through.

Belongs here: Parquet files as they are, and files of text as a table of their cells. Does not belong here:
what a cell means (estimate.py), or what is done with the rows (batch.py).
"""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import duckdb

from ote.answers import addresses, delimited, estimate, tables, texts
from ote.answers.estimate import BadRunsError
from ote.answers.rows import load
from ote.names import identifier, literal, shown

NESTED = ("STRUCT", "MAP", "UNION")
PARQUET = "hive_partitioning = false, union_by_name = true"
# Types whose numbers are those of their text; others go through text.
NUMBERS = {
    *("DOUBLE", "FLOAT", "BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UINTEGER", "USMALLINT", "UTINYINT")
}


Unread = tuple[int, int, str, str]  # number, line, column and reason


@dataclass(frozen=True, kw_only=True)
class RunFiles:
    """The rows of one or several files, numbered through from one.

    Attributes:
        source: the address that was given.
        addresses: the files that it means, in their order.
        counts: how many rows each file has, those that cannot be read included.
        kinds: the type of each column.
        parts: what DuckDB reads of each file: a Parquet file, or one table of all files.
        unread: number, line, column and reason of each row that cannot be read.
        notes: sentences on lines that are not rows.
    """

    source: str
    addresses: list[str]
    counts: list[int]
    kinds: dict[str, str]
    parts: list[str]
    unread: list[Unread] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(self.counts)

    @property
    def before(self) -> list[int]:
        """How many rows are in the files before each."""
        return [0, *accumulate(self.counts)][:-1]

    def relation(self, number: int | None = None) -> str:
        """What DuckDB reads, with row_number: one file, or all in their order."""
        if "row_number" in self.kinds:
            first = self.before[number or 0] + 1
            last = self.rows if number is None else first + self.counts[number] - 1
            return f"(from staged where row_number between {first} and {last})"
        before = f"({self.before})[cast(file_index + 1 as bigint)]" if len(self.parts) > 1 else "0"
        some = "" if number is None else f" where filename = {literal(self.parts[number])}"
        read = f"read_parquet([{', '.join(map(literal, self.parts))}], {PARQUET}){some}"
        return f"(select {before} + file_row_number + 1 as row_number, * from {read})"

    def place(self, row_number: int, line: int) -> delimited.Place:
        """Where a row is."""
        index = bisect_left(self.before, row_number) - 1
        file = self.addresses[index] if len(self.addresses) > 1 else ""
        return delimited.Place(file=file, line=line, row=row_number - self.before[index])

    def reject(self, row_number: int, line: int, column: str, reason: str) -> delimited.Reject:
        """What is wrong with a row, by its place."""
        return delimited.Reject(place=self.place(row_number, line), column=column, reason=reason)


def cell(column: str, kind: str) -> str:
    """A cell in SQL as text or as a number; an instant of a time zone as UTC."""
    name = identifier(column)
    if kind == "VARCHAR":
        return f"nullif({name}, '')"
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"cast(make_timestamp(epoch_us({name})) as varchar) || 'Z'"
    return name if kind in NUMBERS else f"cast({name} as varchar)"


def opened(
    connection: duckdb.DuckDBPyConnection, source: str, folder: Path, wanted: Collection[str] = ()
) -> RunFiles:
    """The rows of all files that an address means.

    Args:
        connection: the connection that is to read them.
        source: a path, a folder, a pattern or an address.
        folder: a temporary one.
        wanted: the columns to read, if not those of runs; others may be there.

    Raises:
        BadRunsError: there is none, or one cannot be read or has a column that no run has.
    """
    try:
        found = addresses.expand(source)
        kinds = {addresses.suffix(address) for address in found}
        if wrong := [address for address in found if addresses.suffix(address) not in tables.FORMS]:
            raise BadRunsError(f"{wrong[0]}: expected a file that ends in {', '.join(tables.FORMS)}")
        if ".parquet" in kinds and len(kinds) > 1:
            raise BadRunsError(f"{source}: Parquet files next to others; name one kind alone")
        if ".parquet" in kinds:
            runs = _parquet(connection, source, found, folder)
        else:
            runs = _staged(connection, source, found, wanted)
    except (texts.UnreadableError, tables.NoTableError) as error:
        raise BadRunsError(f"{source}: {error}") from None
    except OSError as error:
        raise BadRunsError(f"{source}: cannot be read: {error}") from None
    _check_columns([name for name in runs.kinds if name not in NUMBERED], source, wanted)
    for column, kind in runs.kinds.items():
        if wanted and column not in wanted:
            continue
        if kind.startswith(NESTED) or kind.endswith("]"):
            raise BadRunsError(f"{source}, {column}: {kind}, expected text or a number")
    return runs


NUMBERED = ("row_number", "line")


def _check_columns(columns: Sequence[str], source: str, wanted: Collection[str]) -> None:
    """Refuse a column that no run has, or that a wanted one is not there."""
    if not wanted:
        estimate.unknown_columns(columns, f"{source}: ")
    elif missing := [column for column in wanted if column not in columns]:
        says = f"expected {', '.join(wanted)}; there are {', '.join(map(shown, columns[:10]))}"
        raise BadRunsError(f"{source}: there is no column {', '.join(missing)}; {says}")


def _parquet(
    connection: duckdb.DuckDBPyConnection, source: str, found: Sequence[str], folder: Path
) -> RunFiles:
    """Parquet files as they are, read from their store."""
    parts = [_reachable(connection, address, folder / f"{at}.parquet") for at, address in enumerate(found)]
    names = ", ".join(map(literal, parts))
    try:
        counts = connection.execute(f"select num_rows from parquet_file_metadata([{names}])").fetchall()
        described = connection.execute(f"describe from read_parquet([{names}], {PARQUET})").fetchall()
    except duckdb.Error as error:
        raise BadRunsError(_no_parquet(source, found, error)) from None
    runs = RunFiles(
        source=source,
        addresses=list(found),
        counts=[rows for (rows,) in counts],
        kinds={name: kind for name, kind, *_ in described},
        parts=parts,
    )
    if not runs.rows:
        raise tables.NoTableError(f"no run in it; expected {tables.FORMS['.parquet']}")
    return runs


def _no_parquet(source: str, found: Sequence[str], error: duckdb.Error) -> str:
    """Which file is not one of Parquet, by how it begins."""
    for address in found:
        begin = addresses.content(address)[:20]
        if not begin.startswith(b"PAR1"):
            says = f"it begins with {shown(begin.decode('ascii', 'replace'))}" if begin else "it is empty"
            expected = f"expected {tables.FORMS['.parquet']}; this is not a Parquet file"
            return f"{address}: cannot be read: {expected}: {says}"
    return f"{source}: cannot be read: {str(error).splitlines()[0]}"


def _reachable(connection: duckdb.DuckDBPyConnection, address: str, copy: Path) -> str:
    """An address that DuckDB reads through fsspec; of a store that cannot say when a file changed, a copy."""
    if not addresses.is_remote(address):
        return address
    files_of, path = addresses.store(address)
    try:
        with addresses.asking():
            files_of.modified(path)
    except NotImplementedError:
        with addresses.asking():
            files_of.get_file(path, str(copy))
        return str(copy)
    with suppress(duckdb.InvalidInputException):  # registered for an earlier file
        connection.register_filesystem(files_of)
    return address


def _staged(
    connection: duckdb.DuckDBPyConnection, source: str, found: Sequence[str], wanted: Collection[str]
) -> RunFiles:
    """Files of text as the table staged of all their cells, with the line of each row."""
    read = [tables.read(addresses.content(address), addresses.suffix(address)) for address in found]
    columns = list(dict.fromkeys(column for table in read for column in table.columns))
    columns = columns or [*wanted] or ["model"]
    _check_columns(columns, source, wanted)
    columns = [column for column in columns if column in (wanted or columns)]
    counts = [len(table.rows) + len(table.rejects) for table in read]
    unread: list[Unread] = []
    rows: list[list[str | None]] = []
    for before, table in zip([0, *accumulate(counts)], read, strict=False):
        cells = [(place, estimate.cells_of(place, _only(row, wanted), columns)) for place, row in table.rows]
        rejects = [*table.rejects, *(row for _, row in cells if isinstance(row, delimited.Reject))]
        unread += [(before + (r.place.row or 0), r.place.line, r.column, r.reason) for r in rejects]
        rows += [
            [f"{before + (place.row or 0)}", f"{place.line}", *row]
            for place, row in cells
            if not isinstance(row, delimited.Reject)
        ]
    load(connection, "texts", [*NUMBERED, *columns], rows)
    connection.execute(
        "create or replace temp table staged as select * replace (cast(row_number as bigint) as row_number, "
        "cast(line as bigint) as line) from texts"
    )
    kinds = {**dict.fromkeys(NUMBERED, "BIGINT"), **dict.fromkeys(columns, "VARCHAR")}
    notes = [
        f"{address}: {says}"
        for address, table in zip(found, read, strict=True)
        for says in delimited.lines_without_rows(table.asides)
    ]
    return RunFiles(
        source=source,
        addresses=list(found),
        counts=counts,
        kinds=kinds,
        parts=list(found),
        unread=unread,
        notes=notes,
    )


def _only(row: Mapping[str, Any], wanted: Collection[str]) -> Mapping[str, Any]:
    """The wanted cells of a row, or all."""
    return {column: row[column] for column in wanted if column in row} if wanted else row
