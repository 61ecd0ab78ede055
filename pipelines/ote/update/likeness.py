"""The training compute of new or changed models beside that of models of like size and time.

Belongs here: what parameters and day say of a FLOP. Does not belong here: the largest that is possible
(revisions.beyond_frontier), or what the accelerators of a run could do (sql/checks).
"""

from datetime import timedelta

import polars as pl

from ote.catalog import Source
from ote.ingestion.row_checks import QUARANTINE_SCHEMA
from ote.update.revisions import waits

YEARS, SIZES = 2, 10  # neighbours: published up to so many years before, with parameters within this factor
LEAST = 20  # neighbours that say what is usual
MIDDLE = (0.05, 0.95)
FLOP_PER_PARAMETER = 6  # and token: forward and backward pass of a dense transformer


def unlike_models(source: Source, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """New or changed models whose FLOP for each parameter is many times beyond like models, as findings.

    Like models are accepted ones, so that a wrong value cannot vouch for another. A model that was accepted
    so may stay so. FLOP / (6 x parameters) are
    the tokens of a dense transformer; of other models they are no tokens, but comparable all the same.
    """
    found = [pl.DataFrame(schema=QUARANTINE_SCHEMA)]
    for column, times in source.limits.likeness.items():
        known, now = (_tokens(frame, column) for frame in (before, after))
        changed = now.join(known, on=["model", "tokens"], how="anti")
        was = known.select("model", was="tokens")
        rows = changed.join(_usual(changed, known), on="model").join(was, on="model", how="left")
        is_beyond, was_beyond = (
            (pl.col(name) * times < pl.col("low")) | (pl.col(name) > times * pl.col("high"))
            for name in ("tokens", "was")
        )
        says = pl.format(
            "As 6 x parameters x tokens it is {} tokens; the middle 90 % of {} like models of the two years "
            f"before have {{}} to {{}}: check the exponent, and the parameters. {waits(source)}",
            *(
                pl.col(name).map_elements("{:.3g}".format, return_dtype=pl.String)
                for name in ("tokens", "like", "low", "high")
            ),
        )
        found.append(
            rows.filter(is_beyond & ~was_beyond.fill_null(False)).select(
                source=pl.lit(source.name),
                row_key="model",
                column_name=pl.lit(column),
                cell=pl.col(column).cast(pl.String),
                check_name=pl.lit("likeness"),
                message=says,
            )
        )
    return pl.concat(found)


def _tokens(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """The models of which FLOP, parameters and day are known, with the tokens that these would be."""
    parameters = pl.col("upstream_parameters")
    return (
        frame.drop_nulls([column, "upstream_parameters", "published_date"])
        .filter(parameters > 0, pl.col(column) > 0)
        .select(
            "model",
            "published_date",
            column,
            parameters=parameters,
            is_language=pl.col("domain").fill_null("").str.contains("Language"),
            tokens=pl.col(column) / (FLOP_PER_PARAMETER * parameters),
        )
    )


def _usual(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """For each model that has enough of them, the number of like models and the ends of their middle 90 %.

    Where models of like size are few, those of any size are taken.
    """
    days = pl.col("published_date") - pl.col("published_date like")
    sizes = [pl.col("parameters"), pl.col("parameters like")]
    near = rows.join(known.select(pl.all().name.suffix(" like")), how="cross").filter(
        pl.col("model") != pl.col("model like"),
        pl.col("is_language") == pl.col("is_language like"),
        days.is_between(timedelta(0), timedelta(days=365 * YEARS)),
    )
    low, high = (pl.col("tokens like").quantile(share) for share in MIDDLE)
    of_size, of_any = (
        frame.group_by("model").agg(like=pl.len(), low=low, high=high).filter(pl.col("like") >= LEAST)
        for frame in (near.filter(pl.max_horizontal(sizes) <= SIZES * pl.min_horizontal(sizes)), near)
    )
    return pl.concat([of_size, of_any.join(of_size, on="model", how="anti")])
