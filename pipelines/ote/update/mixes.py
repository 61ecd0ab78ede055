"""Carbon intensities beside the mix of their own row: fuels, or the share of carbon-free energy.

Belongs here: what a mix explains of a new or changed intensity, also of a clean grid or a new region. Does
not belong here: comparisons of one column alone (revisions.py), or with other sources (results.py).
"""

from collections.abc import Iterator

import polars as pl

from ote import catalog
from ote.catalog import Mix, Source

SHOWN = 5  # rows of each kind that are named
NOTABLE = 1.8  # a leap by more is named also where the mix explains it
INFINITE = float("inf")


def unlike_mix(source: Source, before: pl.DataFrame, after: pl.DataFrame) -> tuple[list[str], list[str]]:
    """New or changed intensities that their mix does not explain, and leaps that it does explain.

    A value is compared with its mix, and their ratio with that of the nearest earlier accepted year.

    Returns:
        The sentences for which a person is needed, and those that a reviewer should read.
    """
    mix = source.limits.mix
    if mix is None:
        return [], []
    region = next(column for column in catalog.tables()[source.table].key if column != "year")
    known, now = (_with_ratios(frame, mix, region) for frame in (before, after))
    changed = now.join(known, on=now.columns, how="anti", nulls_equal=True).drop_nulls("value")
    rows = _beside_accepted(changed, known)
    was = pl.col("value before")
    leap = pl.max_horizontal("value", was) / pl.min_horizontal("value", was)
    gap = pl.max_horizontal(pl.col("least") / pl.col("most before"), pl.col("least before") / pl.col("most"))
    moved = was.is_not_null() & (leap >= mix.ratio) & (gap > mix.change).fill_null(True)
    outside = pl.col("is outside") & ~pl.coalesce("is outside same", was.is_not_null())
    alone = pl.col("least").is_null() & pl.lit(mix.ratio == 1)
    needs = moved | outside.fill_null(False) | alone
    fine = rows.filter(~needs & was.is_not_null() & (leap > NOTABLE))
    return (
        [*_sentences(rows.filter(needs), rows.height, mix, f"unexplained by the {mix.name}")],
        [*_sentences(fine, rows.height, mix, f"leaps that the {mix.name} explains")],
    )


def _with_ratios(frame: pl.DataFrame, mix: Mix, region: str) -> pl.DataFrame:
    """Region, year, value, and the least and the greatest ratio of the value to its mix, as rounded."""
    whole = pl.col(mix.whole) if mix.whole else pl.lit(1.0)
    given = pl.sum_horizontal(pl.col(part).fill_null(0) for part in mix.parts)
    base, rest = pl.max_horizontal(whole, given), (whole - given).clip(0)
    emitted = pl.sum_horizontal(pl.col(part).fill_null(0) * by for part, by in mix.parts.items())
    slack = mix.rounding * max(*mix.parts.values(), mix.rest) / base
    is_known = pl.any_horizontal(pl.col(part).is_not_null() for part in mix.parts) & whole.is_not_null()
    expected = pl.when(is_known & (base > 0)).then((emitted + rest * mix.rest) / base)
    value = pl.col(mix.column)
    least = value / (expected + slack)
    most = pl.when(expected > slack).then(value / (expected - slack)).when(expected >= 0).then(INFINITE)
    low, high = mix.level
    return frame.select(
        pl.col(region).alias("region"),
        pl.col("intensity_basis")
        if "intensity_basis" in frame.columns
        else pl.lit("").alias("intensity_basis"),
        "year",
        value=value,
        expected=expected,
        least=least,
        most=most,
    ).with_columns(((pl.col("most") < low) | (pl.col("least") > high)).alias("is outside"))


def _beside_accepted(changed: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Rows with the accepted row of the same year ("same"), and of the nearest year before ("before")."""
    same = known.select("region", "intensity_basis", "year", pl.col("is outside").alias("is outside same"))
    columns = ["value", "least", "most", "is outside"]
    earlier = known.drop_nulls("value").select(
        "region", "intensity_basis", "year", *(pl.col(c).alias(f"{c} before") for c in columns)
    )
    return (
        changed.join(same, on=["region", "intensity_basis", "year"], how="left")
        .sort("year")
        .join_asof(
            earlier.sort("year"),
            on="year",
            by=["region", "intensity_basis"],
            allow_exact_matches=False,
            check_sortedness=False,
        )
    )


def _sentences(rows: pl.DataFrame, of: int, mix: Mix, because: str) -> Iterator[str]:
    """One sentence for the rows of a kind, the largest leaps first."""
    if rows.is_empty():
        return
    unit = catalog.document().unit(mix.column).replace("_", " ")
    named = "; ".join(_stated(row) for row in rows.head(SHOWN).iter_rows(named=True))
    yield f"{because}: {rows.height:,} of {of:,} new or changed intensities ({unit}): {named}"


def _stated(row: dict[str, float | str | None]) -> str:
    """A row: the value before, the value, and what its mix would give."""
    was = "no year before" if row["value before"] is None else f"{row['value before']:.4g} before"
    mix = "no mix" if row["expected"] is None else f"about {row['expected']:.3g} by its mix"
    return f"{row['region']}, {row['year']}: {row['value']:.4g} ({was}; {mix})"
