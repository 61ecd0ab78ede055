"""Read one curated file: its cells as text, and what is wrong with them.

Belongs here: what holds for every file below warehouse/reference/. Does not belong here: what the rows
of one table mean together (training_run_rules.py), or any asset (sources/reference.py).
"""

import csv
import difflib
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ote import catalog
from ote.ingestion.model_text import hidden_character, suspicious_text
from ote.names import shown

Row = dict[str, str]


class UnjudgedError(Exception):
    """A rule needs a cell that is wrong itself, so that nothing follows from it."""


class Judged(dict[str, str]):
    """The cells of a row that may be judged together: those that are right by themselves."""

    def __missing__(self, column: str) -> str:
        """Nothing is known of a cell that is wrong."""
        raise UnjudgedError(column)


class BadReferenceError(Exception):
    """Rows of a curated file that cannot be taken, each by line and column, with what to do."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with one cell or row, and what to do about it."""

    line: int
    column: str
    row: str
    says: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column} ({self.row}): {self.says}"


@dataclass(frozen=True)
class File:
    """The rows of one curated file as text, with the line that each begins on."""

    path: Path
    rows: list[Row]
    lines: list[int]

    def __iter__(self) -> Iterator[tuple[int, Row]]:
        return iter(zip(self.lines, self.rows, strict=True))


def read_text(directory: Path, table: catalog.Table) -> File:
    """The cells of a curated file as text.

    Raises:
        BadReferenceError: the file is missing, not UTF-8, or its header or a row has other columns.
    """
    path = directory / f"{table.stem}.csv"
    expected = [column.name for column in table.columns]
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise BadReferenceError(f"{path}: missing. It holds {table.description}") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise BadReferenceError(f"{path}, line {line}: not UTF-8. Save the file as UTF-8.") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = next(reader, [])
    if header != expected:
        raise BadReferenceError(
            f"{path}, line 1: the header must be {','.join(expected)}; "
            f"missing {sorted(set(expected) - set(header))}, unknown {sorted(set(header) - set(expected))}"
        )
    rows: list[Row] = []
    lines: list[int] = []
    start = 2
    try:
        for cells in reader:
            if len(cells) != len(expected):
                raise BadReferenceError(
                    f"{path}, line {start}: {len(cells)} cells, expected {len(expected)}. "
                    "A comma inside a cell needs the cell in double quotes."
                )
            rows.append(dict(zip(expected, cells, strict=True)))
            lines.append(start)
            start = reader.line_num + 1
    except csv.Error as error:
        raise BadReferenceError(f"{path}, line {start}: {error}. Check the double quotes.") from None
    return File(path, rows, lines)


def cell_problems(file: File, table: catalog.Table) -> Iterator[Problem]:
    """Cells that are missing, or not of the type, range or values of the catalog."""
    for line, row in file:
        for column in table.columns:
            if says := _cell_problem(row[column.name], column):
                yield Problem(line, column.name, _label(row, table), says)


def _cell_problem(cell: str, column: catalog.Column) -> str | None:
    """What is wrong with one cell, or None."""
    if cell == "":
        return f"empty, but every row needs it. {column.description}" if column.required else None
    if cell != cell.strip():
        return f"{cell!r} begins or ends with a space. Remove it."
    if hidden := hidden_character(cell):
        return f"{shown(cell)} holds {hidden}, which cannot be seen. Type the cell anew."
    if column.name == "model" and (says := suspicious_text(cell)):
        return f"{shown(cell)}: {says} Write it in the letters of its language."
    if column.values and cell not in column.values:
        return f"{cell!r} is not one of {', '.join(column.values)}."
    if column.type in ("double", "bigint"):
        return _number_problem(cell, column)
    if column.type == "boolean" and cell not in ("true", "false"):
        return f"{cell!r} is neither true nor false."
    if column.type == "date":
        return _date_problem(cell, column)
    if column.name == "source_url" and not re.match(r"https?://[^\s/]+\.[^\s/]+", cell):
        return f"{cell!r} is not an address that begins with http:// or https://."
    return None


def _number_problem(cell: str, column: catalog.Column) -> str | None:
    pattern = r"-?\d+" if column.type == "bigint" else r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
    if not re.fullmatch(pattern, cell):
        hint = " Use a point for decimals, no separator for thousands." if "," in cell else ""
        kind = "a whole number" if column.type == "bigint" else "a number"
        return f"{cell!r} is not {kind}.{hint}"
    if not column.allows(float(cell)):
        unit = f" in {column.unit}" if column.unit not in ("", "varies", "dimensionless", "count") else ""
        return f"{cell} lies outside {column.range}{unit}. {column.why} Check the unit."
    return None


def _date_problem(cell: str, column: catalog.Column) -> str | None:
    if not _is_date(cell):
        return f"{cell!r} is not a day as YYYY-MM-DD."
    day = date.fromisoformat(cell)
    if (column.earliest and day < column.earliest) or (column.latest and day > column.latest):
        return f"{cell} lies outside {column.earliest} to {column.latest}. {column.why}"
    return None


def _is_date(cell: str) -> bool:
    try:
        return date.fromisoformat(cell).isoformat() == cell
    except ValueError:
        return False


def judged(file: File, problems: Iterable[Problem]) -> File:
    """The file without the cells that are wrong by themselves, for the rules over several cells."""
    wrong = {(problem.line, problem.column) for problem in problems}
    rows: list[Row] = [
        Judged((column, cell) for column, cell in row.items() if (line, column) not in wrong)
        for line, row in file
    ]
    return File(file.path, rows, file.lines)


def verdict(rule: Callable[[], str | None]) -> str | None:
    """What a rule says of a row; nothing where a cell that it needs is wrong itself."""
    try:
        return rule()
    except UnjudgedError:
        return None


def duplicates(file: File, table: catalog.Table) -> Iterator[Problem]:
    """Rows whose key an earlier row has."""
    seen: dict[tuple[str, ...], int] = {}
    for line, row in file:
        try:
            key = tuple(row[column] for column in table.key)
        except UnjudgedError:
            continue
        if key in seen:
            named = ", ".join(table.key)
            yield Problem(
                line, table.key[0], _label(row, table), f"the same {named} as line {seen[key]}. Remove one."
            )
        seen.setdefault(key, line)


def unknown_references(file: File, table: catalog.Table, directory: Path) -> Iterator[Problem]:
    """Cells that name a row of another curated file which is not there."""
    for column, target in table.references.items():
        other = catalog.tables()[target]
        known = {row[column] for row in read_text(directory, other).rows}
        for line, row in file:
            if (cell := row.get(column)) and cell not in known:
                yield Problem(line, column, _label(row, table), unknown(cell, known, f"{other.stem}.csv"))


def unknown(cell: str, known: set[str], where: str) -> str:
    """What to say of a name that is not known: the nearest ones, and where to add it."""
    nearest = difflib.get_close_matches(cell, sorted(known), n=3, cutoff=0.5)
    hint = f" Nearest: {', '.join(nearest)}." if nearest else ""
    return f"{cell!r} is not known.{hint} Use a known one, or add it to {where}."


def _label(row: Row, table: catalog.Table) -> str:
    return " / ".join(row.get(column, "") for column in table.key[:2])
