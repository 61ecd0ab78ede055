"""What changed between two versions of a source, and whether a person must see it.

Belongs here: rows by key, cells, and new rows beside their neighbours, held against the limits of the
catalog. Does not belong here: single rows (ingestion/row_checks.py), or what a change does to the results
(results.py).
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from ote import catalog
from ote.catalog import Leap, Source
from ote.ingestion.model_text import letters
from ote.ingestion.row_checks import QUARANTINE_SCHEMA, advised, named

SHOWN = 5  # rows of each kind that are named
LONGEST = 60  # characters of a cell
CELLS = dict.fromkeys(("row_key", "column_name", "before", "after"), pl.String)
FEW = 3  # cells or rows that are no pattern
USUAL = 1.25  # a year as a whole differs from the one before by at most this factor; Google's 2025: 1.0
REPEATED = 0.5  # of Google's new years, at most a tenth of the values were those of the year before


def renamed(source: Source, before: pl.DataFrame, after: pl.DataFrame) -> dict[str, str]:
    """The new name of each model that upstream renamed, with its accepted name.

    As core.model_ids has it: the only new name with the letters of the only name that is gone, or else with
    its address and day. In Epoch's versions of 2024 to 2026 many renames change a hyphen or a blank alone.
    """
    if catalog.tables()[source.table].key != ("model",):
        return {}
    address = pl.col("source_link").str.extract(r"(https?://[^\s,]+)")
    spelt = pl.col("model").map_elements(letters, return_dtype=pl.String)
    gone, new = (
        frame.join(other, on="model", how="anti").select(
            "model", "published_date", address=address, letters=spelt
        )
        for frame, other in ((before, after), (after, before))
    )
    found: dict[str, str] = {}
    for by in (["letters"], ["published_date", "address"]):
        left = new.filter(~pl.col("model").is_in(list(found))).drop_nulls(by)
        pairs = left.join(gone.filter(~pl.col("model").is_in(list(found.values()))), on=by, suffix=" before")
        is_sure = ~(pl.col("model").is_duplicated() | pl.col("model before").is_duplicated())
        found |= dict(pairs.filter(is_sure).select("model", "model before").sort("model").iter_rows())
    return found


def cells(source: Source, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Every cell that differs in rows of both versions, as text: row_key, column_name, before, after."""
    key = list(catalog.tables()[source.table].key)
    pairs = before.join(after, on=key, how="inner", nulls_equal=True, suffix=" now")
    found = [
        pairs.filter(pl.col(column).ne_missing(pl.col(f"{column} now"))).select(
            row_key=named(key),
            column_name=pl.lit(column),
            before=pl.col(column).cast(pl.String),
            after=pl.col(f"{column} now").cast(pl.String),
        )
        for column in before.columns
        if column not in key
    ]
    return pl.concat(found).sort("row_key", "column_name")


def first(source: Source, accepted: pl.DataFrame, drift: pl.DataFrame) -> pl.DataFrame:
    """The accepted rows, with each number as it was before updates moved it.

    Args:
        source: the source.
        accepted: its accepted rows.
        drift: the rows of drift.csv.
    """
    own = drift.filter(pl.col("source") == source.name, pl.col("column_name").is_in(accepted.columns))
    found = accepted.with_columns(named(catalog.tables()[source.table].key).alias("row_key"))
    for column in own["column_name"].unique():
        was = own.filter(column_name=column).select(
            "row_key", pl.col("cell").cast(accepted.schema[column]).alias("was")
        )
        found = found.join(was, on="row_key", how="left", maintain_order="left")
        found = found.with_columns(pl.coalesce("was", column).alias(column)).drop("was")
    return found.drop("row_key")


def changed(
    source: Source, before: pl.DataFrame, after: pl.DataFrame, first: pl.DataFrame | None = None
) -> dict[str, Any]:
    """What two versions of a source differ in: rows by key, and cells with the largest ratios.

    Args:
        source: the source.
        before: the earlier rows, in the types of the catalog.
        after: the present rows.
        first: the earlier rows as they were before small steps, from which ratios are measured.
    """
    key = list(catalog.tables()[source.table].key)
    first = before if first is None else first
    added = after.join(before, on=key, how="anti", nulls_equal=True)
    gone = before.join(after, on=key, how="anti", nulls_equal=True)
    pairs = before.join(after, on=key, how="inner", nulls_equal=True, suffix=" now")
    pairs = pairs.join(first, on=key, how="left", nulls_equal=True, suffix=" first")
    columns = {}
    for column in before.columns:
        if column not in key:
            moved = pairs.filter(pl.col(column).ne_missing(pl.col(f"{column} now")))
            if moved.height:
                columns[column] = _moved(moved, key, column, pairs.height, source.limits.ratio)
    return {
        "rows_before": before.height,
        "rows_added": added.height,
        "rows_gone": gone.height,
        "examples_added": _examples(added, key),
        "examples_gone": _examples(gone, key),
        "cells_changed": columns,
    }


def _examples(rows: pl.DataFrame, key: list[str]) -> list[str]:
    """The first rows, by key and numbers."""
    numbers = [c for c in rows.columns if c not in key and rows.schema[c].is_numeric()]
    examples = []
    for row in rows.head(SHOWN).iter_rows(named=True):
        stated = ", ".join(f"{c} {row[c]:.6g}" for c in numbers if row[c] is not None)
        examples.append(" / ".join(str(row[c]) for c in key) + (f" ({stated})" if stated else ""))
    return examples


def _moved(moved: pl.DataFrame, key: list[str], column: str, of: int, limit: float) -> dict[str, Any]:
    """The changed cells of one column: how many, how many by more than a factor, and the largest."""
    now, first = f"{column} now", f"{column} first"
    shown = moved.select(*key, pl.col(column), pl.col(now), pl.col(first))
    beyond = 0
    if moved.schema[column].is_numeric():
        factor = (pl.col(now) / pl.col(first)).abs()
        shown = shown.with_columns(
            ratio=pl.when(pl.col(first).is_null() | pl.col(now).is_null())
            .then(None)
            .when((pl.col(first) == 0) | (pl.col(now) == 0))
            .then(float("inf"))
            .otherwise(pl.max_horizontal(factor, 1 / factor))
        )
        beyond = shown.filter(pl.col("ratio") > limit).height
        shown = shown.sort("ratio", descending=True, nulls_last=True, maintain_order=True)
    largest = [
        {
            "row": " / ".join(map(str, row[: len(key)])),
            "before": _shown(row[len(key)]),
            "after": _shown(row[len(key) + 1]),
            "first": _shown(row[len(key) + 2]),
        }
        for row in shown.head(SHOWN).rows()
    ]
    filled, emptied = (int(moved[name].is_null().sum()) for name in (column, now))
    return {
        "changed": moved.height,
        "of": of,
        "filled": filled,
        "emptied": emptied,
        "beyond_ratio": beyond,
        "largest": json.loads(json.dumps(largest, default=str)),
    }


def _shown(cell: Any) -> Any:
    """A cell for a report: of a text, its beginning."""
    return f"{cell[:LONGEST]} ..." if isinstance(cell, str) and len(cell) > LONGEST else cell


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
        known = int(before[column].is_not_null().sum())
        if cells["changed"] > max(limits.values_fraction * known, FEW):
            found.append(
                f"{cells['changed']:,} cells of {column} changed, {cells['filled']:,} of them from null and "
                f"{cells['emptied']:,} to null (limit {limits.values_fraction:.0%} of {known:,})"
            )
        elif cells["filled"] + cells["emptied"] > max(limits.nulls_fraction * known, FEW):
            found.append(
                f"{cells['filled']:,} cells of {column} were filled and {cells['emptied']:,} emptied "
                f"(limit {limits.nulls_fraction:.0%} of {known:,})"
            )
        if cells["beyond_ratio"] > limits.cells_beyond_ratio:
            largest = cells["largest"][0]
            found.append(
                f"{cells['beyond_ratio']:,} values of {column} changed by a factor above {limits.ratio:g}, "
                f"e.g. {largest['row']}: {largest['first']} to {largest['after']}"
            )
    return found


def unlike_neighbours(source: Source, before: pl.DataFrame, after: pl.DataFrame) -> list[str]:
    """Why new periods of known regions need a person: they leap, move as a whole, or repeat the year before.

    Each new row is compared with the accepted row of the same region in the nearest earlier year.
    """
    if not source.limits.leaps:
        return []
    region = next(column for column in catalog.tables()[source.table].key if column != "year")
    new = after.join(before, on=[region, "year"], how="anti")
    pairs = new.sort("year").join_asof(
        before.sort("year").rename({"year": "year before"}),
        left_on="year",
        right_on="year before",
        by=region,
        suffix=" before",
        check_sortedness=False,
    )
    return [
        text
        for column, limit in source.limits.leaps.items()
        for text in (
            *_leaps(pairs.drop_nulls([column, f"{column} before"]), region, column, limit),
            *_repeats(new, before, region, column),
        )
    ]


def _leaps(pairs: pl.DataFrame, region: str, column: str, limit: Leap) -> Iterator[str]:
    """What is wrong with the new values of a column beside those of the year before."""
    now, was = pl.col(column), pl.col(f"{column} before")
    ratio = pl.max_horizontal(now, was) / pl.min_horizontal(now, was)
    leaps = pairs.filter((ratio > limit.ratio) & ((now - was).abs() > limit.difference))
    if leaps.height:
        named = "; ".join(
            f"{row[region]}, {row['year']}: {row[f'{column} before']} to {row[column]}"
            for row in leaps.head(SHOWN).iter_rows(named=True)
        )
        yield f"{leaps.height:,} of {pairs.height:,} new values of {column} leap: {named}"
    usual = pairs.select((now / was).median()).item() if pairs.height > FEW else None
    if usual is not None and not 1 / USUAL <= usual <= USUAL:
        yield f"the new values of {column} are {usual:.3g} times those of the year before, by the median"


def _repeats(new: pl.DataFrame, before: pl.DataFrame, region: str, column: str) -> Iterator[str]:
    """The earlier years whose values the new values of a column repeat."""
    pairs = new.join(before, on=region, suffix=" before").drop_nulls([column, f"{column} before"])
    years = pairs.group_by("year", "year before").agg(
        of=pl.len(), same=(pl.col(column) == pl.col(f"{column} before")).sum()
    )
    repeated = years.filter(pl.col("of") > FEW, pl.col("same") > REPEATED * pl.col("of"))
    for row in repeated.sort("year", "year before").iter_rows(named=True):
        yield (
            f"{row['same']:,} of {row['of']:,} values of {column} of {row['year']} repeat those of "
            f"{row['year before']}"
        )


def beyond_frontier(source: Source, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """New or changed values that are many times the largest one known by their day, as findings.

    The largest one is that of the accepted rows, so that a wrong value cannot vouch for another.
    """
    key, columns = catalog.tables()[source.table].key[0], list(source.limits.frontier)
    found = [pl.DataFrame(schema=QUARANTINE_SCHEMA)]
    if not columns:
        return found[0]
    known = before.with_columns(flop=pl.max_horizontal(columns)).drop_nulls(["flop", "published_date"])
    largest = known.sort("published_date").select("published_date", pl.col("flop").cum_max().alias("largest"))
    for column, times in source.limits.frontier.items():
        changed = after.join(before.select(key, column), on=[key, column], how="anti", nulls_equal=True)
        beyond = (
            changed.drop_nulls([column, "published_date"])
            .sort("published_date")
            .join_asof(largest, on="published_date")
            .filter(pl.col(column) > times * pl.col("largest"))
        )
        found.append(
            beyond.select(
                source=pl.lit(source.name),
                row_key=pl.col(key),
                column_name=pl.lit(column),
                cell=pl.col(column).cast(pl.String),
                check_name=pl.lit("frontier"),
                message=pl.format(
                    f"More than {times:g} times the largest known by its day, {{}} FLOP: check the exponent.",
                    pl.col("largest").map_elements("{:.3g}".format, return_dtype=pl.String),
                ),
            )
        )
    return advised(pl.concat(found), source, before)


def moved_far(source: Source, before: pl.DataFrame, after: pl.DataFrame, first: pl.DataFrame) -> pl.DataFrame:
    """Single cells that moved by more than the limit of a source that goes on without them, as findings.

    Which of the two values is wrong is not known, so that the accepted one stays until a person decides.

    Args:
        source: the source.
        before: its accepted rows.
        after: the present rows.
        first: the accepted rows as they were before small steps, from which the ratio is measured.
    """
    key, limit = list(catalog.tables()[source.table].key), source.limits.ratio
    found = [pl.DataFrame(schema=QUARANTINE_SCHEMA)]
    if not source.limits.cells_beyond_ratio:
        return found[0]
    pairs = first.join(after, on=key, suffix=" now").join(before, on=key, suffix=" before")
    for column in [c for c in before.columns if c not in key and before.schema[c].is_numeric()]:
        was, now = pl.col(column), pl.col(f"{column} now")
        factor = pl.max_horizontal(was, now) / pl.min_horizontal(was, now)
        is_changed = now.ne_missing(pl.col(f"{column} before"))
        beyond = pairs.filter(is_changed & was.is_not_null() & now.is_not_null() & (factor >= limit))
        if beyond.height > source.limits.cells_beyond_ratio:
            continue  # a pattern, which beyond_limits stops
        says = pl.format(
            f"It was first accepted as {{}}: moved by a factor of {limit:g} or more. {waits(source)}",
            was.map_elements("{:.6g}".format, return_dtype=pl.String),
        )
        found.append(
            beyond.select(
                source=pl.lit(source.name),
                row_key=named(key),
                column_name=pl.lit(column),
                cell=now.cast(pl.String),
                check_name=pl.lit("ratio"),
                message=says,
            )
        )
    return pl.concat(found)


def waits(source: Source) -> str:
    """What to do about a row that is held back, since it may be right."""
    return (
        f"The accepted row stays; to take the new one: ote update --refetch {source.name} "
        '--accept "why it is right".'
    )
