"""The gates of the catalog on the rows of a source: which rows are taken, and which cells turn one away.

Belongs here: types, ranges, values and keys of catalog.yaml, held against what a parser gave. Does not belong
here: what changed since the last version (update/revisions.py), or how a curated file is refused (facts.py).
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl

from pipelines import catalog
from pipelines.catalog import Source
from pipelines.ingestion import facts
from pipelines.ingestion.model_text import suspicious_text
from pipelines.ingestion.tabular import UpstreamChangedError

TYPES = facts.TYPES | {"timestamp": pl.Datetime("us")}
# Columns that name a model, an organisation, an accelerator or a place; some list several, with commas.
NAMES = ("model", "organizations", "hardware", "base_model", "entity", "region", "location", "site")
LISTS = ("organizations", "hardware")
CODES = ("region",)  # of these names: letters, digits, hyphens and underlines
CODE = re.compile("[A-Za-z0-9_-]+")
QUARANTINE_SCHEMA = dict.fromkeys(("source", "row_key", "column_name", "cell", "gate", "says"), pl.String)


def gated(
    frame: pl.DataFrame, source: Source, retrieved: date | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that catalog.yaml allows, in its types, and each cell of the others that it does not allow.

    Args:
        frame: what a parser gave, as text or typed.
        source: the upstream.
        retrieved: the day on which its files were fetched; no day that `is_past` can be later.

    Raises:
        UpstreamChangedError: the parser gave other columns than the catalog promises.
    """
    table = catalog.tables()[source.table]
    promised = [column.name for column in table.columns]
    if sorted(frame.columns) != sorted(promised):
        raise UpstreamChangedError(
            f"{source.name}: parser and catalog.yaml differ in {sorted(set(frame.columns) ^ set(promised))}"
        )
    typed = frame.select(_cast(frame[column.name], TYPES[column.type]) for column in table.columns)
    key = pl.concat_str(pl.col(table.key).cast(pl.String), separator=" / ", ignore_nulls=True)
    keys = frame.select(key).to_series()
    findings = [
        _finding(frame[column.name], bad, column.name, gate, says)
        for column in table.columns
        for gate, says, bad in _gates(column, frame[column.name], typed[column.name], retrieved)
        if bad.any()
    ]
    findings += [
        _finding(frame[name], frame[name].eq_missing(cell), name, "name", says)
        for name in NAMES
        if name in promised
        for cell, says in _suspicious(frame[name])
    ]
    repeated = typed.select(~pl.struct(table.key).is_first_distinct()).to_series()
    if repeated.any():
        findings.append(_finding(keys, repeated, table.key[0], "key", "The same key as an earlier row."))
    if not findings:
        return typed, pl.DataFrame(schema=QUARANTINE_SCHEMA)
    lost = pl.concat(findings).sort("row", "column_name", "gate")
    lost = lost.with_columns(source=pl.lit(source.name), row_key=keys.gather(lost["row"]))
    kept = typed.with_row_index("row").filter(~pl.col("row").is_in(lost["row"].implode())).drop("row")
    return kept, lost.select(*QUARANTINE_SCHEMA)


def _suspicious(names: pl.Series) -> Iterator[tuple[str, str]]:
    """The cells with a name that hides characters or imitates another, each with the reason."""
    for cell in names.cast(pl.String).drop_nulls().unique(maintain_order=True):
        words = cell.split(",") if names.name in LISTS else [cell]
        if says := next((says for word in words if (says := suspicious_text(word))), None):
            yield cell, says
        elif names.name in CODES and not CODE.fullmatch(cell):
            yield cell, "A code has letters A-Z, digits, hyphens and underlines alone."


def _cast(column: pl.Series, to: Any) -> pl.Series:
    if column.dtype != pl.String:
        return column.cast(to, strict=False)
    if to == pl.Date:
        return column.str.to_date("%Y-%m-%d", strict=False)
    if to == pl.Boolean:
        return column.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
    if to == pl.String:
        return column
    return column.str.strip_chars().cast(to, strict=False)


def _gates(
    column: catalog.Column, given: pl.Series, typed: pl.Series, retrieved: date | None
) -> Iterator[tuple[str, str, pl.Series]]:
    """What a cell must be, as the gate's name, a sentence and whether each row fails it."""
    yield "type", f"Not a {column.type}.", typed.is_null() & given.is_not_null()
    if column.required:
        yield "required", "Empty, but every row needs it.", given.is_null()
    if column.min is not None:
        yield "range", f"Below {column.min:g}. {column.why}", (typed < column.min).fill_null(False)
    if column.max is not None:
        yield "range", f"Above {column.max:g}. {column.why}", (typed > column.max).fill_null(False)
    if column.earliest is not None:
        yield "range", f"Before {column.earliest}. {column.why}", (typed < column.earliest).fill_null(False)
    if column.latest is not None:
        yield "range", f"After {column.latest}. {column.why}", (typed > column.latest).fill_null(False)
    if column.is_past and retrieved is not None:
        yield "future", f"After {retrieved}, when it was fetched.", (typed > retrieved).fill_null(False)
    if column.type == "double":
        yield "type", "Not a finite number.", (~typed.is_finite()).fill_null(False)
    if column.values:
        yield (
            "values",
            f"Not one of {', '.join(column.values)}.",
            (~typed.is_in(list(column.values))).fill_null(False),
        )


def _finding(cells: pl.Series, bad: pl.Series, column_name: str, gate: str, says: str) -> pl.DataFrame:
    """The cells that fail a gate, with the number of their row."""
    numbered = pl.DataFrame({"cell": cells.cast(pl.String), "bad": bad}).with_row_index("row")
    return numbered.filter("bad").select(
        "row",
        "cell",
        pl.lit(column_name).alias("column_name"),
        pl.lit(gate).alias("gate"),
        pl.lit(says).alias("says"),
    )
