"""Delimited text, row by row: what is wrong with one row costs that row, and is named with line and cause.

Belongs here: lines, cells and remains of a crash. Does not belong here: what a column means.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ote import files

SEPARATORS = ",;\t|"
LONGEST_CELL = 50  # lines; a quote that is open for longer was never closed
NUL_BYTES = "NUL bytes; a crash while the file was written leaves them. Take the line out"
# Lines that are no rows, so that nothing is lost with them.
ONLY_NUL = "NUL bytes alone, which a crash while the file was written leaves"
HEADER_AGAIN = "the header again; two files were joined there"
EMPTY = "empty"
NAMED = 10  # lines in a sentence
HALF_LINE = "complete the line, or take it out: a crash while the file is written leaves half a line"
# Numbers in a file whose cells are not separated by commas: a spreadsheet may have written 1234.5 as 1.234,5.
WITH_COMMA = r"-?(?:0,\d+|\d+,(?:\d{1,2}|\d{4,}))(?:E[+-]?\d+)?"
WITH_POINT = r"-?(?:0\.\d+|\d+\.(?:\d{1,2}|\d{4,}))(?:E[+-]?\d+)?"
IN_THOUSANDS = r"-?\d{1,3}(?:(?:\.\d{3})+,\d+|(?:\.\d{3}){2,})"
AS_IN_US = r"-?\d{1,3}(?:(?:,\d{3})+\.\d+|(?:,\d{3}){2,})"  # 1,234.5 and 1,234,567
THOUSANDS = "1.234,5"  # a point that parts thousands, and a decimal comma
AMBIGUOUS = r"-?[1-9]\d{0,2}[.,]\d{3}"
LEFT_OUT = "left_out"  # the column that says why a row of a log is not a run
Row = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a row is: its line in the file, and its number among the rows; both count from one.

    The line is 0 where a file has no lines of rows, as Parquet and a JSON array. The file is named where
    there are several.
    """

    line: int = 0
    row: int | None = None
    file: str = ""

    def __str__(self) -> str:
        parts = (
            self.file,
            f"line {self.line}" if self.line else "",
            f"row {self.row}" if self.row else "",
        )
        return ", ".join(filter(None, parts))


@dataclass(frozen=True, kw_only=True)
class Reject:
    """A row that is not taken, and why; the column is empty where the row as a whole is wrong.

    is_part: it is a part of a run that is taken without it, so that no run is lost.
    """

    place: Place
    column: str = ""
    reason: str
    is_part: bool = False

    @property
    def wrong(self) -> str:
        """What is wrong, without the place."""
        return f"{self.column}: {self.reason}" if self.column else self.reason

    def __str__(self) -> str:
        if self.column == LEFT_OUT:  # by an import, which says where the row is in the log
            return self.reason
        where = ", ".join(filter(None, (str(self.place), self.column)))
        return f"{where}: {self.reason}"


class BadCellError(Exception):
    """A cell that cannot be taken."""

    def __init__(self, column: str, reason: str) -> None:
        """Name the column, and what was found and expected there."""
        super().__init__(f"{column}: {reason}")
        self.column, self.reason = column, reason


@dataclass(frozen=True, kw_only=True)
class Table:
    """The rows of a delimited text by the names of its header, rows that are not taken, and other lines.

    asides: the number of each line that is not a row, so that nothing is lost with it, and what it is.
    """

    header: list[str]
    mark: str = ","
    rows: list[tuple[Place, Row]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    asides: list[tuple[int, str]] = field(default_factory=list)


def lines_without_rows(asides: Iterable[tuple[int, str]]) -> list[str]:
    """A sentence for each kind of line that is not a row."""
    by_kind: dict[str, list[int]] = {}
    for line, kind in asides:
        by_kind.setdefault(kind, []).append(line)
    return [f"{lines_named(lines)}: {kind}; no row is lost with it." for kind, lines in by_kind.items()]


def lines_named(lines: Sequence[int]) -> str:
    """The first lines by their numbers: Line 3, or Lines 3, 5 and 7 more."""
    shown = ", ".join(map(str, lines[:NAMED]))
    more = f" and {len(lines) - NAMED:,} more" if len(lines) > NAMED else ""
    return f"Line{'s' * (len(lines) > 1)} {shown}{more}"


def separator(line: str, known: str = SEPARATORS) -> str:
    """What separates the cells of a header: the character that parts it most often."""
    return max(known, key=lambda mark: len(_cells(line, mark, quoted=True)))


def parse(
    text: str, mark: str | None = None, quoted: bool = True, first_line: int = 1, short: str = HALF_LINE
) -> Table:
    """The rows of a text whose first line that is not empty is the header.

    Args:
        text: the file.
        mark: what separates the cells; None takes what parts the header most often.
        quoted: whether double quotes hold a cell together; in the output of sacct they are letters.
        first_line: the number of the first line of the text in its file.
        short: why a row may have too few cells, and what to do.
    """
    lines = text.split("\n")
    at = next((number for number, line in enumerate(lines) if line.strip("\r \0")), None)
    if at is not None and (named := re.fullmatch(r"sep=(.)", lines[at].strip(), re.IGNORECASE)):
        mark, at = named[1], at + 1  # a line for Excel
    if at is None or at == len(lines):
        return Table(header=[])
    mark = mark or separator(lines[at])
    header = [name.strip() for name in _cells(lines[at].strip("\r\0"), mark, quoted)]
    table = Table(header=header, mark=mark)
    names = header
    for index, cells in _records(lines, at + 1, mark, quoted):
        line = index + first_line
        if cells in (EMPTY, ONLY_NUL):
            table.asides.append((line, str(cells)))
            continue
        if not isinstance(cells, str) and _is_header(cells, names):
            names = [name.strip() for name in cells]
            table.asides.append((line, HEADER_AGAIN))
            continue
        place = Place(line=line, row=len(table.rows) + len(table.rejects) + 1)
        if isinstance(cells, str):
            table.rejects.append(Reject(place=place, reason=cells))
        elif len(cells) != len(names):
            table.rejects.append(Reject(place=place, reason=_uneven(cells, names, mark, short, quoted)))
        else:
            table.rows.append((place, {n: cell.strip() for n, cell in zip(names, cells, strict=True)}))
    return table


def is_only_nul(line: str) -> bool:
    """Whether a line has NUL bytes and nothing else."""
    return "\0" in line and not line.strip("\0 \t\r")


def with_points(table: Table, columns: Sequence[str]) -> Table:
    """A table whose decimals have a point, also where a spreadsheet wrote them with a comma.

    A comma before three digits is a decimal one if the file has other decimal commas, and a point if it has
    other points; it is one of thousands if the file has such a number as 1.234,5. Otherwise 1,234 and 1.234
    may be 1234: such a row is not taken.

    Args:
        table: the rows.
        columns: the columns that hold numbers.
    """
    cells = [row[name] for _, row in table.rows for name in columns if row.get(name)]
    if table.mark == "," and not any(re.fullmatch(WITH_COMMA, cell, re.IGNORECASE) for cell in cells):
        return table
    marks = {
        mark
        for mark, form in (
            (",", WITH_COMMA),
            (THOUSANDS, IN_THOUSANDS),
            (".", WITH_POINT),
            (".", AS_IN_US),
        )
        if any(re.fullmatch(form, cell, re.IGNORECASE) for cell in cells)
    }
    rows: list[tuple[Place, Row]] = []
    rejects = list(table.rejects)
    for place, row in table.rows:
        try:
            rows.append(
                (place, row | {name: _with_point(name, row[name], marks) for name in columns if name in row})
            )
        except BadCellError as error:
            rejects.append(Reject(place=place, column=error.column, reason=error.reason))
    return Table(header=table.header, mark=table.mark, rows=rows, rejects=rejects, asides=table.asides)


def _with_point(column: str, cell: str, marks: set[str]) -> str:
    """A number with a point for its decimals; any other text as it is.

    Raises:
        BadCellError: its mark may be one of thousands.
    """
    has_thousands = THOUSANDS in marks and "." not in marks
    is_ambiguous = re.fullmatch(AMBIGUOUS, cell)
    if re.fullmatch(AS_IN_US, cell):
        return cell.replace(",", "")
    if re.fullmatch(IN_THOUSANDS, cell) or (is_ambiguous and has_thousands):
        return cell.replace(".", "").replace(",", ".")
    if is_ambiguous and marks != {"," if "," in cell else "."}:
        plain = re.sub("[.,]", "", cell)
        raise BadCellError(
            column,
            f"{cell!r} may be {plain} or {cell.replace(',', '.')}: the other numbers of the file do not say "
            f"which; write {plain}, or {cell}0 with one more decimal",
        )
    return cell.replace(",", ".") if re.fullmatch(r"-?\d+,\d+(?:E[+-]?\d+)?", cell, re.IGNORECASE) else cell


def number(cell: str) -> float:
    """The number in a cell.

    Raises:
        ValueError: it is none; the message says what was expected.
    """
    try:
        return float(cell)
    except ValueError:
        comma = re.fullmatch(r"-?\d[\d.,'\s]*\d", cell.strip())
        hint = "; write decimals with a point, and thousands without a separator" if comma else ""
        raise ValueError(f"{cell!r}, expected a number{hint}") from None


def write_rejects(rejects: Iterable[Reject], file: Path, with_files: bool = False) -> None:
    """Write rows that are not taken as CSV: line, row, column and reason; whole or not at all.

    Args:
        rejects: the rows.
        file: the CSV file.
        with_files: whether the rows are of several files, which are named then.
    """
    with files.replacing(file) as partial, partial.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow((*(("file",) if with_files else ()), "line", "row", "column", "reason"))
        writer.writerows(
            (
                *((r.place.file,) if with_files else ()),
                r.place.line or "",
                r.place.row or "",
                r.column,
                r.reason,
            )
            for r in rejects
        )


def read_rejects(file: str | Path) -> list[Reject]:
    """The rows in a file that write_rejects wrote; none if there is no such file."""
    try:
        table = parse(Path(file).read_text(encoding="utf-8"), ",")
    except FileNotFoundError:
        return []
    if table.header[-4:] != ["line", "row", "column", "reason"]:
        return []  # of someone else
    return [
        Reject(
            place=Place(
                file=row.get("file", ""),
                line=int(row["line"] or 0),
                row=int(row["row"]) if row["row"] else None,
            ),
            column=row["column"],
            reason=row["reason"],
        )
        for _, row in table.rows
    ]


def _records(
    lines: Sequence[str], start: int, mark: str, quoted: bool
) -> Iterator[tuple[int, list[str] | str]]:
    """The cells of each record with the index of its first line, or what is wrong with it."""
    index = start
    stop = next((at + 1 for at in reversed(range(len(lines))) if lines[at].strip()), 0)
    while index < stop:
        if "\0" in lines[index]:
            yield index, ONLY_NUL if is_only_nul(lines[index]) else NUL_BYTES
        elif not lines[index].strip():
            yield index, EMPTY
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
        csv.reader(
            [text] if "\n" not in text else text.splitlines(keepends=True),
            delimiter=mark,
            skipinitialspace=mark == ",",
        ),
        [],
    )


def _is_header(cells: Sequence[str], names: Sequence[str]) -> bool:
    known = {name for name in names if name}
    return len(known & {cell.strip() for cell in cells}) >= max(2, len(known) // 2)


def _uneven(cells: Sequence[str], names: Sequence[str], mark: str, short: str, quoted: bool) -> str:
    is_long = len(cells) > len(names)
    other = f"a cell holds {mark!r}, which sacct does not quote; export with another one: --delimiter=^"
    long = f"a cell that holds {mark!r} must stand in double quotes" if quoted else other
    hint = long if is_long else short
    return f"{len(cells)} cells, expected {len(names)} as in the header; {hint}"
