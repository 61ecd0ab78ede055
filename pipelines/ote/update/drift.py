"""What numbers were before updates moved them in small steps: drift.csv after an update.

Belongs here: where the next steps are measured from. Does not belong here: how far a number may move
(revisions.py), or reading and writing the file (ingestion/baseline.py).
"""

import polars as pl

from ote import catalog
from ote.ingestion import row_checks
from ote.update.rows import Candidate

CELL = ["row_key", "column_name"]


def after(drift: pl.DataFrame, found: Candidate, *, is_accepted: bool) -> pl.DataFrame:
    """The rows of drift.csv after an update of a source: one for each number that moved without a reason.

    Args:
        drift: its rows before.
        found: what the update takes.
        is_accepted: whether a person gave a reason: what they accept is where drift begins.
    """
    cells, rows, key = found.cells, found.rows, catalog.tables()[catalog.sources()[found.source].table].key
    own = drift.filter(source=found.source)
    numbers = [name for name, kind in rows.schema.items() if kind.is_numeric()]
    if is_accepted:
        own = own.join(cells, on=CELL, how="anti")
    else:
        moved = cells.filter(pl.col("column_name").is_in(numbers)).drop_nulls("before")
        moved = moved.join(own, on=CELL, how="anti")
        own = pl.concat([own, moved.select(pl.lit(found.source).alias("source"), *CELL, cell="before")])
        own = own.join(cells.select(*CELL, cell="after"), on=[*CELL, "cell"], how="anti")
    now_named = {accepted: name for name, accepted in found.renames.items()}
    own = own.with_columns(pl.col("row_key").replace(now_named))
    keys = rows.select(row_checks.named(key)).to_series()
    own = own.filter(pl.col("row_key").is_in(keys.implode()))
    return pl.concat([drift.filter(pl.col("source") != found.source), own]).sort("source", *CELL)
