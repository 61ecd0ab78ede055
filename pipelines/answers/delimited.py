"""Delimited text, row by row: what is wrong with one row costs that row, and is named with line and cause.

Belongs here: lines, cells and remains of a crash. Does not belong here: what a column means.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SEPARATORS = ",;\t|"
LONGEST_CELL = 50  # lines; a quote that is open for longer was never closed
Row = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a row stands: its line in the file, and its number among the rows; both count from one."""

    line: int
    row: int | None = None

    def __str__(self) -> str:
        return f"line {self.line}" + (f", row {self.row}" if self.row else "")


@dataclass(frozen=True, kw_only=True)
class Reject:
    """A row that is not taken, and why; the column is empty where the row as a whole is wrong."""

    place: Place
    column: str = ""
    reason: str

    def __str__(self) -> str:
        return f"{self.place}{', ' if self.column else ''}{self.column}: {self.reason}"


class BadCellError(Exception):
    """A cell that cannot be taken."""

    def __init__(self, column: str, reason: str) -> None:
        """Name the column, and what was found and expected there."""
        super().__init__(f"{column}: {reason}")
        self.column, self.reason = column, reason


@dataclass(frozen=True, kw_only=True)
class Table:
    """The rows of a delimited text by the names of its header, and the lines that are no rows."""

    header: list[str]
    mark: str = ","
    rows: list[tuple[Place, Row]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


def separator(line: str) -> str:
    """What separates the cells of a header: the character that parts it most often."""
    return max(SEPARATORS, key=lambda mark: len(_cells(line, mark, quoted=True)))


def parse(text: str, mark: str | None = None, quoted: bool = True, first_line: int = 1) -> Table:
    """The rows of a text whose first line that is not empty is the header.

    Args:
        text: the file.
        mark: what separates the cells; None takes what parts the header most often.
        quoted: whether double quotes hold a cell together; in the output of sacct they are letters.
        first_line: the number of the first line of the text in its file.
    """
    lines = text.split("\n")
    at = next((number for number, line in enumerate(lines) if line.strip("\r \0")), None)
    if at is None:
        return Table(header=[])
    mark = mark or separator(lines[at])
    header = [name.strip() for name in _cells(lines[at].strip("\r\0"), mark, quoted)]
    table = Table(header=header, mark=mark)
    names = header
    number = 0
    for index, cells in _records(lines, at + 1, mark, quoted):
        line = index + first_line
        if cells == []:
            continue
        number += 1
        place = Place(line=line, row=number)
        if isinstance(cells, str):
            table.rejects.append(Reject(place=place, reason=cells))
        elif _is_header(cells, names):
            names = [name.strip() for name in cells]
            table.rejects.append(Reject(place=place, reason="the header again; two files were joined here"))
        elif len(cells) != len(names):
            table.rejects.append(Reject(place=place, reason=_uneven(cells, names, mark)))
        else:
            table.rows.append((place, {n: cell.strip() for n, cell in zip(names, cells, strict=True)}))
    return table


def with_points(table: Table) -> Table:
    """A table whose decimals have a point, also where a spreadsheet wrote them with a comma.

    A comma before three digits may separate thousands; it is a decimal one if the file has another that is.
    """
    if table.mark == ",":
        return table
    cells = (cell for _, row in table.rows for cell in row.values())
    if any(re.fullmatch(r"-?(?:0,\d+|\d+,(?:\d{1,2}|\d{4,}))", cell) for cell in cells):
        for _, row in table.rows:
            commas = {name: cell for name, cell in row.items() if re.fullmatch(r"-?\d+,\d+(?:E-?\d+)?", cell)}
            row.update({name: cell.replace(",", ".") for name, cell in commas.items()})
    return table


def number(cell: str) -> float:
    """The number in a cell.

    Raises:
        ValueError: it is none; the message says what was expected.
    """
    try:
        return float(cell)
    except ValueError:
        comma = re.fullmatch(r"-?[\d.]+,\d+", cell.strip())
        hint = "; write decimals with a point, and thousands without a separator" if comma else ""
        raise ValueError(f"{cell!r}, expected a number{hint}") from None


def write_rejects(rejects: Sequence[Reject], file: Path) -> None:
    """Write rows that are not taken as CSV: line, row, column and reason; whole or not at all."""
    partial = file.with_name(f".{file.name}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(("line", "row", "column", "reason"))
            writer.writerows((r.place.line, r.place.row or "", r.column, r.reason) for r in rejects)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def _records(
    lines: Sequence[str], start: int, mark: str, quoted: bool
) -> Iterator[tuple[int, list[str] | str]]:
    """The cells of each record with the index of its first line, or what is wrong with it."""
    index = start
    while index < len(lines):
        if "\0" in lines[index]:
            yield index, "NUL bytes; a crash while the file was written leaves them. Take the line out"
        elif not lines[index].strip():
            yield index, []
        else:
            end = _last_line(lines, index) if quoted else index
            if end is None:
                yield index, "a double quote is opened and never closed"
            else:
                text = "\n".join(lines[index : end + 1]).rstrip("\r")
                yield index, _cells(text, mark, quoted)
                index = end
        index += 1


def _last_line(lines: Sequence[str], index: int) -> int | None:
    """The line on which the cells that begin on this one end; None where a quote is not closed."""
    open_quotes = 0
    for end in range(index, min(index + LONGEST_CELL, len(lines))):
        open_quotes += lines[end].count('"')
        if open_quotes % 2 == 0:
            return end
    return None


def _cells(text: str, mark: str, quoted: bool) -> list[str]:
    if not quoted:
        return text.split(mark)
    csv.field_size_limit(max(len(text) + 1, 131072))
    return next(
        csv.reader([text] if "\n" not in text else text.splitlines(keepends=True), delimiter=mark), []
    )


def _is_header(cells: Sequence[str], names: Sequence[str]) -> bool:
    known = {name for name in names if name}
    return len(known & {cell.strip() for cell in cells}) >= max(2, len(known) // 2)


def _uneven(cells: Sequence[str], names: Sequence[str], mark: str) -> str:
    if len(cells) > len(names):
        hint = f"a cell that holds {mark!r} must stand in double quotes"
    else:
        hint = (
            "a crash while the file was written leaves half a line, and CodeCarbon leaves empty cells out "
            "when it appends; complete the line, or take it out"
        )
    return f"{len(cells)} cells, expected {len(names)} as in the header; {hint}"
