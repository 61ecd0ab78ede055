"""The checks of the catalog on the rows of a source: which rows are taken, and which cells turn one away.

Belongs here: types, ranges, values and keys of catalog.yaml, held against what a parser gave. Does not belong
here: what changed since the last version (update/revisions.py), or how a curated file is refused (facts.py).
"""

import operator
import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import polars as pl

from ote import catalog
from ote.catalog import Source
from ote.ingestion.model_text import suspicious_text
from ote.ingestion.tabular import UpstreamChangedError

TYPES: dict[str, Any] = {
    "varchar": pl.String,
    "double": pl.Float64,
    "bigint": pl.Int64,
    "boolean": pl.Boolean,
    "date": pl.Date,
    "timestamp": pl.Datetime("us"),
}
# Columns that name a model, an organisation, an accelerator or a location; some list several, with commas.
NAMES = ("model", "organizations", "hardware", "base_model", "entity", "region", "location", "site")
LISTS = ("organizations", "hardware")
CODES = ("region",)  # of these names: letters, digits, hyphens and underlines
CODE = re.compile("[A-Za-z0-9_-]+")
UNNAMED = ("", "varies", "dimensionless", "count")  # units that a number is not followed by
EXPECTED = {
    "varchar": "a text",
    "double": "a number, such as 0.5 or 1.2e+21",
    "bigint": "a whole number",
    "boolean": "true or false",
    "date": "a day as YYYY-MM-DD",
    "timestamp": "a time in UTC",
}
QUARANTINE_SCHEMA = dict.fromkeys(
    ("source", "row_key", "column_name", "cell", "check_name", "message"), pl.String
)


def checked(
    frame: pl.DataFrame,
    source: Source,
    retrieved: date | None = None,
    accepted: pl.DataFrame | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that catalog.yaml allows, in its types, and each cell of the others that it does not allow.

    Args:
        frame: what a parser gave, as text or typed.
        source: the upstream.
        retrieved: the day on which its files were fetched; no day that `is_past` can be later.
        accepted: the accepted rows: of several rows with one key, the one among them is taken.

    Raises:
        UpstreamChangedError: the parser gave other columns than the catalog promises.
    """
    table = catalog.tables()[source.table]
    promised = [column.name for column in table.columns]
    if sorted(frame.columns) != sorted(promised):
        raise UpstreamChangedError(
            f"{source.name}: parser and catalog.yaml differ in {sorted(set(frame.columns) ^ set(promised))}"
        )
    rows = typed(frame, table)
    findings = [*_findings(frame, rows, table, retrieved), *_repeated(rows, table, accepted)]
    if not findings:
        return rows, pl.DataFrame(schema=QUARANTINE_SCHEMA)
    keys = frame.select(named(table.key)).to_series()
    lost = pl.concat(findings).sort("row", "column_name", "check_name")
    lost = lost.with_columns(source=pl.lit(source.name), row_key=keys.gather(lost["row"]))
    nameless = pl.format("row {} of the source, without a key", pl.col("row") + 1)
    lost = lost.with_columns(row_key=pl.when(pl.col("row_key") == "").then(nameless).otherwise("row_key"))
    kept = rows.with_row_index("row").filter(~pl.col("row").is_in(lost["row"].implode())).drop("row")
    return kept, advised(lost, source, accepted).select(*QUARANTINE_SCHEMA)


def named(key: Iterable[str]) -> pl.Expr:
    """The key of a row in one text, as findings name it."""
    return pl.concat_str(pl.col(list(key)).cast(pl.String), separator=" / ", ignore_nulls=True)


def _findings(
    frame: pl.DataFrame, typed: pl.DataFrame, table: catalog.Table, retrieved: date | None
) -> Iterator[pl.DataFrame]:
    """The cells that fail a rule of their column, or hold a name that is not what it seems."""
    for column in table.columns:
        for check_name, says, bad in _checks(column, frame[column.name], typed[column.name], retrieved):
            if bad.any():
                yield _finding(frame[column.name], bad, column.name, check_name, says)
    for name in NAMES:
        if name in frame.columns:
            for cell, says in _suspicious(frame[name]):
                yield _finding(frame[name], frame[name].eq_missing(cell), name, "name", says)


def _repeated(
    typed: pl.DataFrame, table: catalog.Table, accepted: pl.DataFrame | None
) -> Iterator[pl.DataFrame]:
    """The rows that are not taken of those with one key: which of different ones is right is not known.

    Of equal rows the first is taken, of different ones the accepted one; where none is accepted, none is.
    """
    key = list(table.key)
    if typed.select(key).is_unique().all():
        return
    numbered = typed.with_row_index("row")
    rows = numbered.filter(~numbered.select(key).is_unique())
    same = rows.unique(typed.columns, keep="first", maintain_order=True)
    others = rows.join(same, on="row", how="anti")
    rivals = same.filter(~same.select(key).is_unique())
    known = typed.clear() if accepted is None else accepted.select(typed.columns)
    rivals = rivals.join(known, on=typed.columns, how="anti", nulls_equal=True)
    stays = rivals.join(known, on=key, how="semi", nulls_equal=True)
    new = rivals.join(known, on=key, how="anti", nulls_equal=True)
    for found, says in (
        (others, "The same key as an earlier row, and the same values: one of them is taken."),
        (stays, "The same key as another row, with other values: the accepted row stays."),
        (new, "The same key as another row, with other values: none of them is taken."),
    ):
        if found.height:
            bad = numbered["row"].is_in(found["row"].implode())
            yield _finding(_stated(numbered), bad, key[0], "key", says)


def _stated(rows: pl.DataFrame) -> pl.Series:
    """The numbers of each row, for one that has the key of another."""
    numbers = [name for name in rows.columns if rows.schema[name].is_float()]
    return rows.select(
        pl.concat_str(
            [pl.format(f"{name} {{}}", name) for name in numbers], separator=", ", ignore_nulls=True
        )
    ).to_series()


def advised(findings: pl.DataFrame, source: Source, accepted: pl.DataFrame | None) -> pl.DataFrame:
    """Findings that say what to do about a row that was turned away, and what the build uses until then."""
    key = catalog.tables()[source.table].key
    known = [] if accepted is None else accepted.select(named(key)).to_series().to_list()
    stays = pl.col("row_key").is_in(known) & (pl.col("check_name") != "key")  # which says it itself
    until = pl.when(stays).then(pl.lit("accepted row stays")).otherwise(pl.lit("row is left out"))
    todo = f"Tell {source.producer}, or add the right value with its source to warehouse/reference/"
    return findings.with_columns(message=pl.format(f"{{}} {todo}; the {{}} until then.", "message", until))


def _suspicious(names: pl.Series) -> Iterator[tuple[str, str]]:
    """The cells with a name that hides characters or imitates another, each with the reason."""
    for cell in names.cast(pl.String).drop_nulls().unique(maintain_order=True):
        words = cell.split(",") if names.name in LISTS else [cell]
        if says := next((says for word in words if (says := suspicious_text(word))), None):
            yield cell, says
        elif names.name in CODES and not CODE.fullmatch(cell):
            yield cell, "A code has letters A-Z, digits, hyphens and underlines alone."


def typed(frame: pl.DataFrame, table: catalog.Table) -> pl.DataFrame:
    """The cells in the types of the catalog; null where they are not of the type."""
    return frame.select(_cast(frame[column.name], TYPES[column.type]) for column in table.columns)


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


def _checks(
    column: catalog.Column, given: pl.Series, typed: pl.Series, retrieved: date | None
) -> Iterator[tuple[str, str, pl.Series]]:
    """What a cell must be, as the check's name, a sentence and whether each row fails it."""
    yield "type", f"Expected {EXPECTED[column.type]}.", typed.is_null() & given.is_not_null()
    if column.required:
        yield "required", f"Empty: expected {EXPECTED[column.type]}.", given.is_null()
    unit = "" if column.unit in UNNAMED else f" {column.unit.replace('_', ' ')}"
    for word, limit, is_beyond in (
        ("Below", column.min, operator.lt),
        ("Above", column.max, operator.gt),
        ("Before", column.earliest, operator.lt),
        ("After", column.latest, operator.gt),
    ):
        if limit is not None:
            said = f"{limit}" if isinstance(limit, date) else f"{limit:g}{unit}"
            yield "range", f"{word} {said}. {column.why}", is_beyond(typed, limit).fill_null(False)
    if column.is_past and retrieved is not None:
        yield "future", f"After {retrieved}, when it was fetched.", (typed > retrieved).fill_null(False)
    if column.type == "double":
        yield "type", "Expected a finite number.", (~typed.is_finite()).fill_null(False)
    if column.values:
        said = f"Expected one of {', '.join(column.values)}."
        yield "values", said, (~typed.is_in(list(column.values))).fill_null(False)


def _finding(cells: pl.Series, bad: pl.Series, column_name: str, check_name: str, says: str) -> pl.DataFrame:
    """The cells that fail a gate, with the number of their row."""
    numbered = pl.DataFrame({"cell": cells.cast(pl.String), "bad": bad}).with_row_index("row")
    return numbered.filter("bad").select(
        "row",
        "cell",
        pl.lit(column_name).alias("column_name"),
        pl.lit(check_name).alias("check_name"),
        pl.lit(says).alias("message"),
    )
