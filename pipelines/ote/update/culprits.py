"""Rows that a person must look at: changed models whose run breaks a check or moves far, unknown regions.

Belongs here: from a result back to the row that is to blame, as findings of the quarantine. Does not belong
here: what is compared (results.py), or what becomes of a row that is turned away (rows.py).
"""

from collections.abc import Sequence

import polars as pl

from ote import catalog
from ote.ingestion import row_checks
from ote.update.results import Failure, Results
from ote.update.revisions import waits
from ote.update.rows import Candidate

SOURCE = "epoch_models"
REGIONS = "google_region_carbon"


def of_checks(
    broken: Sequence[Failure], names: pl.DataFrame, accepted: pl.DataFrame, models: Candidate
) -> pl.DataFrame:
    """New or changed models whose run breaks a check.

    Args:
        broken: the checks that fail.
        names: run_id and upstream_name of each model.
        accepted: the accepted rows.
        models: the candidate.
    """
    found = [
        {"run_id": str(row["run_id"]), "message": f"{failure.table} {failure.check}: {failure.why}"}
        for failure in broken
        for row in failure.rows
        if row.get("run_id")
    ]
    changed = models.rows.join(accepted, on=accepted.columns, how="anti", nulls_equal=True)
    rows = (
        pl.DataFrame(found, schema={"run_id": pl.String, "message": pl.String})
        .unique(["run_id"], keep="first", maintain_order=True)
        .join(names, on="run_id")
        .filter(pl.col("upstream_name").is_in(changed["model"].implode()))
        .select(
            source=pl.lit(SOURCE),
            row_key="upstream_name",
            column_name=pl.lit("run_id"),
            cell="run_id",
            check_name=pl.lit("check"),
            message="message",
        )
    )
    return row_checks.advised(rows, catalog.sources()[SOURCE], accepted)


def of_moves(compared: Results, models: Candidate) -> pl.DataFrame:
    """Changed models, few enough to be no pattern, whose estimate moves as far as no single number may.

    That measures the edit of an accelerator, a base model or a day. Which of the two versions is wrong is not
    known.
    """
    limits = catalog.document().result_limits
    far = compared.moved.filter(pl.col("ratio") >= limits.estimate_ratio)
    now_named = {accepted: name for name, accepted in models.renames.items()}
    cells = models.cells.with_columns(pl.col("row_key").replace(now_named).alias("upstream_name"))
    todo = waits(catalog.sources()[SOURCE])
    rows = (
        far.join(compared.models.select("run_id", "upstream_name"), on="run_id")
        .join(cells, on="upstream_name")
        .select(
            source=pl.lit(SOURCE),
            row_key="upstream_name",
            column_name="column_name",
            cell="after",
            check_name=pl.lit("ratio"),
            message=pl.format(
                f"It was {{}}: moves the estimate of {{}} by a factor of {{}}. {todo}",
                pl.col("before").fill_null("empty"),
                "run_id",
                pl.col("ratio").map_elements("{:.3g}".format, return_dtype=pl.String),
            ),
        )
    )
    is_pattern = far.height > max(limits.moved_fraction * compared.runs[0], 1)
    return rows.clear() if is_pattern else rows


def of_regions(compared: Results) -> pl.DataFrame:
    """The new regions without a country whose intensity could confirm their own."""
    intensity = "carbon_intensity_g_per_kwh"
    unknown = pl.col("was_g_per_kwh").is_null() & pl.col("country_g_per_kwh").is_null()
    todo = (
        "Add the region with its country to warehouse/reference/regions.csv, then run "
        f"ote update --refetch {REGIONS}."
    )
    return compared.regions.filter(unknown, scheme="google_cloud").select(
        source=pl.lit(REGIONS),
        row_key=row_checks.named(catalog.tables()[catalog.sources()[REGIONS].table].key),
        column_name=pl.lit(intensity),
        cell=pl.col(intensity).cast(pl.String),
        check_name=pl.lit("country"),
        message=pl.lit(f"The intensity of its country is not known, which would confirm it. {todo}"),
    )
