"""The register of stable ids: warehouse/reference/model_names.csv, brought up to the names of the last build.

Belongs here: writing that file. Does not belong here: which id a name gets (sql/core/model_ids.sql).
"""

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from pipelines import catalog
from pipelines.sources.reference import read
from pipelines.warehouse import connect

TABLE = "raw.model_names"


class NoNamesError(Exception):
    """There is no build with names from upstream to register."""


@dataclass(frozen=True)
class Update:
    """What the register has now that it had not: a row per name, and what changed of it.

    change: new, renamed, current (again), former (upstream has it no longer) or restated (its day or
    address). newest: the day of the newest model of the register, where the list at hand ends before it.
    """

    changes: pl.DataFrame
    newest: date | None


def update(warehouse: Path, reference: Path) -> Update:
    """Add the names that upstream gave since the register was last written; ids in it never change.

    A name that upstream has no longer stays, as former. A list older than the one that the register was made
    from decides nothing about the names in it. Call it under the lock of the warehouse.

    Raises:
        NoNamesError: the working database is missing, or was built without upstream's list of models.
        BadReferenceError: the register itself is not sound.
    """
    table = catalog.tables()[TABLE]
    registered = read(reference, table)
    names = _names(warehouse)
    if names.is_empty():
        raise NoNamesError("the last build had no list of models from upstream: build with a network first.")
    newest = _later(registered.filter(name_status="current"), names)
    added = names.join(registered, on="upstream_name", how="anti")
    fresh = added.with_columns(_status(pl.lit(newest is None)))
    kept = registered if newest else _as_listed(registered, names)
    columns = [column.name for column in table.columns]
    whole = pl.concat([kept.select(columns), fresh.select(columns)]).sort("upstream_name")
    if not whole.equals(registered.select(columns).sort("upstream_name")):
        _write(whole, reference / f"{table.stem}.csv")
    told = ("upstream_name", "run_id", "change")
    changes = [
        added.rename({"identity_rule": "change"}).select(told),
        _changes(registered, kept).select(told),
    ]
    return Update(pl.concat(changes), newest)


def _later(current: pl.DataFrame, names: pl.DataFrame) -> date | None:
    """The day of the newest model of the register, if it is later than any of a list, which is older then."""
    known, listed = current["published_date"].max(), names["published_date"].max()
    return known if isinstance(known, date) and isinstance(listed, date) and known > listed else None


def _as_listed(registered: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """The registered names with the days and addresses of the list, and whether they are in it."""
    known = registered.join(names.drop("run_id"), on="upstream_name", how="left", suffix=" now")
    return known.select(
        "upstream_name",
        "run_id",
        pl.coalesce("published_date now", "published_date").alias("published_date"),
        pl.coalesce("source_url now", "source_url").alias("source_url"),
        _status(pl.col("identity_rule").is_not_null()),
    )


def _changes(registered: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """The registered names of which anything is another now."""
    pairs = registered.join(kept, on="upstream_name", suffix=" now")
    moved = pl.col("name_status").ne_missing(pl.col("name_status now"))
    described = [pl.col(c).ne_missing(pl.col(f"{c} now")) for c in ("published_date", "source_url")]
    change = pl.when(moved).then("name_status now").otherwise(pl.lit("restated"))
    return (
        pairs.filter(pl.any_horizontal(moved, *described)).with_columns(change=change).sort("upstream_name")
    )


def _write(rows: pl.DataFrame, path: Path) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        rows.write_csv(file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _status(is_present: pl.Expr) -> pl.Expr:
    return pl.when(is_present).then(pl.lit("current")).otherwise(pl.lit("former")).alias("name_status")


def _names(warehouse: Path) -> pl.DataFrame:
    if not (warehouse / "build.duckdb").exists():
        raise NoNamesError(f"{warehouse / 'build.duckdb'} is missing: build first.")
    with connect(warehouse / "build.duckdb") as connection:
        try:
            names: pl.DataFrame = connection.sql("from core.model_ids").pl()
        except duckdb.CatalogException:
            raise NoNamesError(
                "the last build did not get to the names of the models: build first."
            ) from None
    return names
