"""The rows of a file that a person or a command wrote: CSV of any spreadsheet, JSON, JSON lines, Parquet.

Belongs here: which rows a file has, and why it or a row of it cannot be read. Does not belong here: lines and
cells of delimited text (delimited.py), or what a column means (estimate.py, disclosure.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ote import documents
from ote.answers import delimited, texts
from ote.answers.delimited import LEFT_OUT, Place, Reject
from ote.names import shown

OBJECT = '{"hardware": "H100", "chips": 8, "training_hours": 72}'
FORMS = {
    ".csv": "a header such as hardware,chips,training_hours and as many cells in each row as in its header",
    ".parquet": "a Parquet file with a row for each run",
    ".json": f"a JSON array with an object for each run, such as [{OBJECT}]",
    ".jsonl": f"a JSON object for each run, one a line, such as {OBJECT}",
}
# Of runs and estimates; a cell of these is never a number.
TEXT = (
    *("model", "hardware", "hardware_name", "counting", "metering", "started", "dataset_version"),
    "within_country",
)
TEXT_ENDINGS = ("_url", "_locator")


class NoTableError(Exception):
    """A file does not hold rows; the message says why and what was expected, without its name."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """The rows of a file by the names of their columns, and what is no row; cells of CSV are text."""

    rows: list[tuple[Place, dict[str, Any]]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    asides: list[tuple[int, str]] = field(default_factory=list)

    @property
    def columns(self) -> list[str]:
        """The names of all columns, in the order in which they come."""
        return list(dict.fromkeys(name for _, row in self.rows for name in row))


def is_text(column: str) -> bool:
    """Whether the cells of a column are text, also where they look like a number."""
    return column in TEXT or column.endswith(TEXT_ENDINGS)


def read(content: bytes, ending: str) -> Table:
    """The rows of a file. Those that an import left out, by the column LEFT_OUT, are no rows.

    Args:
        content: its bytes.
        ending: of its name, one of FORMS; any other, as of a pipe, is reported from the first character.

    Raises:
        NoTableError: it is empty, or not what its name says.
    """
    return _without_left_out(_parquet(content) if ending == ".parquet" else _of_text(content, ending))


def _without_left_out(table: Table) -> Table:
    rows = []
    rejects = list(table.rejects)
    for place, row in table.rows:
        why = row.pop(LEFT_OUT, None)
        if why:
            rejects.append(Reject(place=place, column=LEFT_OUT, reason=str(why)))
        else:
            rows.append((place, row))
    return Table(rows=rows, rejects=rejects, asides=table.asides)


def _of_text(content: bytes, ending: str) -> Table:
    try:
        text = texts.decoded(content)
    except texts.UnreadableError as error:
        raise NoTableError(f"{error}") from None
    begin = text.lstrip()[:1]
    form = ending if ending in FORMS else ".json" if begin in ("{", "[") else ".csv"
    if not text.strip("\0 \n\t"):
        raise NoTableError(f"empty; expected {FORMS[form]}")
    if form != ".csv":
        return _json(text, form)
    if begin in ("{", "["):
        raise NoTableError("JSON, not CSV; give the file a name that ends in .json (or .jsonl for lines)")
    return _csv(text)


def _csv(text: str) -> Table:
    table = delimited.parse(text)
    if twice := [name for name in table.header if table.header.count(name) > 1]:
        raise NoTableError(f"the column {shown(twice[0])} stands twice in the header; take one away")
    if not (table.rows or table.rejects):
        raise NoTableError("there is a header and no run; expected a row for each run")
    table = delimited.with_points(table, [name for name in table.header if not is_text(name)])
    rows: list[tuple[Place, dict[str, Any]]] = [(place, dict(row)) for place, row in table.rows]
    return Table(rows=rows, rejects=table.rejects, asides=table.asides)


def _parquet(content: bytes) -> Table:
    import duckdb

    from ote.answers.rows import of_parquet

    try:
        found = of_parquet(content)
    except duckdb.Error:
        begin = (
            f"it begins with {shown(content[:20].decode('ascii', 'replace'))}" if content else "it is empty"
        )
        says = f"expected {FORMS['.parquet']}; this is not a Parquet file: {begin}"
        raise NoTableError(f"cannot be read: {says}") from None
    return _of_objects(found, ".parquet")


def _json(text: str, form: str) -> Table:
    try:
        found = documents.parse(text.rstrip(), documents.ANYTHING, f"cannot be read: expected {FORMS[form]}")
    except documents.MalformedError as error:
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) < 2 or not lines[0].lstrip().startswith("{") or not lines[0].rstrip().endswith("}"):
            raise NoTableError(str(error)) from None
        return _json_lines(text)
    if isinstance(found, list):
        return _of_objects(found, form)
    if not isinstance(found, dict):
        raise NoTableError(f"{shown(found)} alone; expected {FORMS[form]}")
    for key, value in found.items():
        if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
            raise NoTableError(f"a list is nested under the key {shown(key)}; expected that list alone")
    return _of_objects([found], form)


def _json_lines(text: str) -> Table:
    table = Table()
    for line, written in enumerate(text.split("\n"), start=1):
        if delimited.is_only_nul(written):
            table.asides.append((line, delimited.ONLY_NUL))
        if not written.strip("\0 \t\r"):
            continue
        place = Place(line=line, row=len(table.rows) + len(table.rejects) + 1)
        try:
            table.rows.append((place, documents.parse(written, dict, f"expected {FORMS['.jsonl']}")))
        except documents.MalformedError as error:
            table.rejects.append(Reject(place=place, reason=str(error)))
    return table


def _of_objects(found: Sequence[Any], form: str) -> Table:
    """The rows of a list; what is not an object is no row."""
    if not found:
        raise NoTableError(f"no run in it; expected {FORMS[form]}")
    table = Table()
    for number, row in enumerate(found, start=1):
        place = Place(row=number)
        if isinstance(row, dict):
            table.rows.append((place, row))
        else:
            table.rejects.append(Reject(place=place, reason=f"{shown(row)}, expected an object: {OBJECT}"))
    return table
