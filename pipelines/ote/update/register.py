"""The register of stable ids, warehouse/reference/model_names.csv, brought up to the names of an update.

Belongs here: what the register holds afterwards. Does not belong here: which id a name gets
(sql/core/model_ids.sql).
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from ote import catalog

TABLE = "raw.model_names"
NEWEST = 5  # names of the register of which a list that is no older has at least half


@dataclass(frozen=True)
class Register:
    """The register after an update, and what changed: a row per name.

    change: new, renamed, current (again), former (upstream has it no longer) or restated (its day or
    address). newest: the day of the newest model of the register, where the list at hand lacks the newest.
    """

    rows: pl.DataFrame
    changes: pl.DataFrame
    newest: date | None


def register(registered: pl.DataFrame, names: pl.DataFrame) -> Register:
    """Add the names that upstream gave since the register was last written; ids in it never change.

    A name that upstream has no longer stays, as former. A list older than the one that the register was made
    from decides nothing about the names in it; what it adds is current only if it is newer than all of them.

    Args:
        registered: the rows of raw.model_names.
        names: the rows of core.model_ids, made with that register.
    """
    newest = _later(registered.filter(name_status="current"), names)
    added = names.join(registered, on="upstream_name", how="anti")
    is_later = pl.lit(True) if newest is None else (pl.col("published_date") > newest).fill_null(False)
    fresh = added.with_columns(_status(is_later))
    kept = registered if newest else _as_listed(registered, names)
    columns = [column.name for column in catalog.tables()[TABLE].columns]
    whole = pl.concat([kept.select(columns), fresh.select(columns)]).sort("upstream_name")
    stated = ("upstream_name", "run_id", "change")
    changes = [
        added.rename({"identity_rule": "change"}).select(stated),
        _changes(registered, kept).select(stated),
    ]
    return Register(whole, pl.concat(changes), newest)


def _later(current: pl.DataFrame, names: pl.DataFrame) -> date | None:
    """The day of the newest model of the register, if the list is older than the register.

    It is older if it ends before that day, or lacks most of the newest names: upstream drops single names,
    and a single new name may have any day, also a wrong one.
    """
    newest = current.drop_nulls("published_date").sort("published_date", "upstream_name").tail(NEWEST)
    known, listed = newest["published_date"].max(), names["published_date"].max()
    if not isinstance(known, date) or not isinstance(listed, date):
        return None
    present = newest.join(names, on="upstream_name", how="semi").height
    return known if known > listed or 2 * present < newest.height else None


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


def _status(is_present: pl.Expr) -> pl.Expr:
    return pl.when(is_present).then(pl.lit("current")).otherwise(pl.lit("former")).alias("name_status")
