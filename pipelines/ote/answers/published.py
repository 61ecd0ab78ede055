"""The published database as the commands that answer questions read it.

Belongs here: where it lies, opening it read-only, with an error that a person understands, and how wide its
intervals are. Does not belong here: any question (why.py, where.py), or how it is made.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING

from ote.errors import Error
from ote.places import DATABASE as DATABASE

if TYPE_CHECKING:
    import duckdb

Z_90 = 1.645  # half a 90 % interval in standard deviations, as sql/ has it
LOWER_BOUNDS = {"pue": 1.0}  # of a factor, as macro lower_bound_of has it; what is above it is lognormal


def ends(factor: str, value: float, gsd: float) -> tuple[float, float]:
    """The 90 % interval of a factor."""
    least = LOWER_BOUNDS.get(factor, 0.0)
    half = math.exp(Z_90 * math.log(gsd))
    return least + (value - least) / half, least + (value - least) * half


def width(p05: float, p95: float) -> float:
    """The factor around a value, of an interval that goes as far up as down by this factor."""
    return math.sqrt(p95 / p05) if p05 else 1.0


def width_of(factor: str, value: float, gsd: float) -> float:
    """The width of the 90 % interval of a factor."""
    return width(*ends(factor, value, gsd))


class NoDatabaseError(Error):
    """The database is missing, unreadable, or of another version; the message says what to do."""


def open_database(path: Path, probe: str) -> "duckdb.DuckDBPyConnection":
    """The published database, read-only.

    Args:
        path: the file.
        probe: a query that fails on a database that lacks what is going to be read.

    Raises:
        NoDatabaseError: it is missing, unreadable, or the probe fails.
    """
    import duckdb  # a tenth of a second, which words and widths alone need not wait for

    if not path.exists():
        raise NoDatabaseError(f"{path}: missing. Build it (make dataset), or name one with --database.")
    try:
        connection = duckdb.connect(str(path), read_only=True)
        connection.execute(probe)
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        raise NoDatabaseError(f"{path}: not a database of this version ({first}). Build it anew.") from None
    return connection
