"""What changed between two versions of a source, and whether a person must see it.

Belongs here: rows by key and cells, held against the limits of the catalog. Does not belong here:
single rows (gates.py), or what follows from a change (ingest.py).
"""

import json
from collections.abc import Mapping
from typing import Any

import polars as pl

from pipelines import catalog
from pipelines.catalog import Source

SHOWN = 5  # rows of each kind that are named


def changed(source: Source, before: pl.DataFrame, after: pl.DataFrame) -> dict[str, Any]:
    """What two versions of a source differ in: rows by key, and cells with the largest ratios.

    Args:
        source: the source.
        before: the earlier rows, in the types of the catalog.
        after: the present rows.
    """
    key = list(catalog.tables()[source.table].key)
    added = after.join(before, on=key, how="anti", nulls_equal=True)
    gone = before.join(after, on=key, how="anti", nulls_equal=True)
    pairs = before.join(after, on=key, how="inner", nulls_equal=True, suffix=" now")
    cells = {}
    for column in before.columns:
        if column not in key:
            moved = pairs.filter(pl.col(column).ne_missing(pl.col(f"{column} now")))
            if moved.height:
                cells[column] = _moved(moved, key, column, pairs.height, source.limits.ratio)
    return {
        "rows_before": before.height,
        "rows_added": added.height,
        "rows_gone": gone.height,
        "examples_added": _names(added, key),
        "examples_gone": _names(gone, key),
        "cells_changed": cells,
    }


def _names(rows: pl.DataFrame, key: list[str]) -> list[str]:
    return [" / ".join(map(str, row)) for row in rows.select(key).head(SHOWN).rows()]


def _moved(moved: pl.DataFrame, key: list[str], column: str, of: int, limit: float) -> dict[str, Any]:
    """The changed cells of one column: how many, how many by more than a factor, and the largest."""
    now = f"{column} now"
    shown = moved.select(*key, pl.col(column), pl.col(now))
    beyond = 0
    if moved.schema[column].is_numeric():
        factor = (pl.col(now) / pl.col(column)).abs()
        shown = shown.with_columns(
            ratio=pl.when(pl.col(column).is_null() | pl.col(now).is_null())
            .then(None)
            .when((pl.col(column) == 0) | (pl.col(now) == 0))
            .then(float("inf"))
            .otherwise(pl.max_horizontal(factor, 1 / factor))
        )
        beyond = shown.filter(pl.col("ratio") > limit).height
        shown = shown.sort("ratio", descending=True, nulls_last=True, maintain_order=True)
    largest = [
        {"row": " / ".join(map(str, row[: len(key)])), "before": row[len(key)], "after": row[len(key) + 1]}
        for row in shown.head(SHOWN).rows()
    ]
    known = int(moved[column].is_not_null().sum())
    return {
        "changed": moved.height,
        "of": of,
        "known_before": known,
        "beyond_ratio": beyond,
        "largest": json.loads(json.dumps(largest, default=str)),
    }


def beyond_limits(source: Source, change: Mapping[str, Any], before: pl.DataFrame) -> list[str]:
    """Why a change needs a person, as sentences; none if it lies within the limits of the catalog."""
    limits = source.limits
    rows = max(change["rows_before"], 1)
    found = [
        f"{change[f'rows_{kind}']:,} of {rows:,} rows {kind} (limit {limit:.0%})"
        for kind, limit in (("gone", limits.rows_gone_fraction), ("added", limits.rows_fraction))
        if change[f"rows_{kind}"] > limit * rows
    ]
    for column, cells in change["cells_changed"].items():
        filled = max(int(before[column].is_not_null().sum()), 1)
        lost_or_moved = cells["known_before"]
        if lost_or_moved > limits.values_fraction * filled:
            found.append(
                f"{lost_or_moved:,} of {filled:,} values of {column} changed "
                f"(limit {limits.values_fraction:.0%})"
            )
        if cells["beyond_ratio"] > limits.cells_beyond_ratio:
            largest = cells["largest"][0]
            found.append(
                f"{cells['beyond_ratio']:,} values of {column} changed by a factor above {limits.ratio:g}, "
                f"e.g. {largest['row']}: {largest['before']} to {largest['after']}"
            )
    return found
