"""The register of stable ids: warehouse/reference/model_names.csv, brought up to the names of the last build.

Belongs here: writing that file. Does not belong here: which id a name gets (sql/core/model_ids.sql).
"""

import os
from pathlib import Path

import duckdb
import polars as pl

from pipelines import catalog
from pipelines.sources.reference import read
from pipelines.warehouse import connect

TABLE = "raw.model_names"


class NoNamesError(Exception):
    """There is no build with names from upstream to register."""


def update(warehouse: Path, reference: Path) -> pl.DataFrame:
    """Add the names that upstream gave since the register was last written; ids in it never change.

    A name that upstream has no longer stays, as former. Call it under the lock of the warehouse.

    Returns:
        The new rows, with identity_rule (renamed or new).

    Raises:
        NoNamesError: the working database is missing, or was built without upstream's list of models.
        BadReferenceError: the register itself is not sound.
    """
    table = catalog.tables()[TABLE]
    registered = read(reference, table)
    names = _names(warehouse)
    if names.is_empty():
        raise NoNamesError("the last build had no list of models from upstream: build with a network first.")
    known = registered.join(names.drop("run_id"), on="upstream_name", how="left", suffix=" now")
    kept = known.select(
        "upstream_name",
        "run_id",
        pl.coalesce("published_date now", "published_date").alias("published_date"),
        pl.coalesce("source_url now", "source_url").alias("source_url"),
        _status(pl.col("identity_rule").is_not_null()),
    )
    added = names.join(registered, on="upstream_name", how="anti")
    fresh = added.drop("identity_rule").with_columns(_status(pl.lit(True)))
    columns = [column.name for column in table.columns]
    whole = pl.concat([kept.select(columns), fresh.select(columns)]).sort("upstream_name")
    path = reference / f"{table.stem}.csv"
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        whole.write_csv(file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    return added


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
