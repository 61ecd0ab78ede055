"""From the bytes that an upstream sends to text under the names of catalog.yaml.

Belongs here: character set, CSV, header spellings. Does not belong here: what one source means
(sources/), or which types and ranges its cells must have (row_checks.py).
"""

import csv
import io
from collections.abc import Mapping

import polars as pl


class UpstreamChangedError(Exception):
    """A file of a source is not what its parser knows: which file, what was found, what was expected."""


def read_csv(content: bytes, file: str) -> pl.DataFrame:
    """The cells of a CSV file as text, an empty cell as null; a column per header cell, in its order.

    A byte order mark, CRLF and newlines inside quotes are read; nothing is guessed.

    Raises:
        UpstreamChangedError: the file is empty, not UTF-8, a page of HTML, repeats a column, or has a row
            with another number of cells than the header.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UpstreamChangedError(f"{file}, line {line}: not UTF-8, expected a CSV file in UTF-8") from None
    if text.lstrip()[:200].lower().startswith(("<!doctype", "<html", "<?xml")):
        raise UpstreamChangedError(f"{file}: a page of markup, expected CSV")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        if not header:
            raise UpstreamChangedError(f"{file}: empty, expected CSV with a header")
        if repeated := sorted({name for name in header if header.count(name) > 1 and name}):
            raise UpstreamChangedError(f"{file}: the header repeats {', '.join(repeated)}")
        rows = []
        for cells in reader:
            if cells and len(cells) != len(header):
                raise UpstreamChangedError(
                    f"{file}, line {reader.line_num}: {len(cells)} cells, but the header has {len(header)}"
                )
            if cells:
                rows.append(cells)
    except csv.Error as error:
        raise UpstreamChangedError(f"{file}, line {reader.line_num}: not CSV ({error})") from None
    names = [name or f"column {place}" for place, name in enumerate(header, start=1)]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    return frame.select(pl.when(pl.all().str.strip_chars() != "").then(pl.all()))


def rename(
    frame: pl.DataFrame,
    file: str,
    spellings: Mapping[str, tuple[str, ...]],
    optional: frozenset[str] = frozenset(),
) -> pl.DataFrame:
    """The columns that a source is known for, under our names; the order of the file does not matter.

    Args:
        frame: the cells as the file has them.
        file: its name, for messages.
        spellings: our name to every header that meant it over the years.
        optional: our names that some vintages lack; they are then null.

    Raises:
        UpstreamChangedError: a column is missing under every spelling, or there under two.
    """
    chosen = {}
    for name, known in spellings.items():
        present = [spelling for spelling in known if spelling in frame.columns]
        if len(present) > 1:
            raise UpstreamChangedError(f"{file}: {' and '.join(present)} both mean {name}")
        if not present and name not in optional:
            raise UpstreamChangedError(
                f"{file}: no column {' or '.join(known)} ({name}); the header is {', '.join(frame.columns)}"
            )
        chosen[name] = pl.col(present[0]) if present else pl.lit(None, dtype=pl.String)
    return frame.select(**chosen)
