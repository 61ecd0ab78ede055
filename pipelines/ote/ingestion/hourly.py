"""Hours of a grid, and what the hours of a year come to.

Belongs here: what the hourly sources share (time, shares of a mix, the figures of a year). Does not belong
here: the columns and factors of one source (sources/), or the comparison with yearly figures of others
(sql/out/hourly_comparison.sql).
"""

import json
from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import reduce
from operator import add

import polars as pl

from ote.ingestion.tabular import UpstreamChangedError

# An hour as parsed. generation_weight is the generation in the source's own unit (the mean MW of the hour;
# four times that for DE and NL of CarbonCast): it weights hours of one zone, and is no quantity of energy.
# A gap is the stated intensity minus that of the mix by the source's own factors: 0 unless the source errs.
HOURS = pl.Schema(
    {
        "hour_utc": pl.Datetime("us"),
        "zone": pl.String(),
        "carbon_intensity_direct_g_per_kwh": pl.Float64(),
        "carbon_intensity_lifecycle_g_per_kwh": pl.Float64(),
        "cfe_fraction": pl.Float64(),
        "biomass_fraction": pl.Float64(),
        "unknown_fraction": pl.Float64(),
        "direct_gap_g_per_kwh": pl.Float64(),
        "lifecycle_gap_g_per_kwh": pl.Float64(),
        "generation_weight": pl.Float64(),
    }
)
DIRECT = "carbon_intensity_direct_g_per_kwh"
LIFECYCLE = "carbon_intensity_lifecycle_g_per_kwh"

# Intensities are given to the cent, and the mix to the megawatt.
ROUNDING_G_PER_KWH = 0.05

# Below a tenth of the usual generation most plants are absent from the report, and the rest is no mix.
LOW_GENERATION = 0.1

# A month of which more is unknown has no mean: what is missing may be its windy or its calm days.
FULL_MONTH = 0.9

# A slash means month first: with the day first, 13/01 fails here, as it should.
TIMES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S+00:00", "%m/%d/%Y %H:%M:%S")


def utc_hours(cells: pl.Series, file: str) -> pl.Series:
    """Starts of hours in UTC (without a zone) from the text of a file, all in one format.

    Raises:
        UpstreamChangedError: no one format reads every cell, or a time is no full hour.
    """
    readings = [cells.str.to_datetime(form, time_unit="us", strict=False) for form in TIMES]
    hours = min(readings, key=pl.Series.null_count)
    unread = hours.is_null()
    if unread.any():
        first = unread.arg_max() or 0
        raise UpstreamChangedError(
            f"{file}, row {first + 1}: the time {cells[first]!r} is not in the format of the other rows, "
            f"expected one of {', '.join(TIMES)} in UTC throughout"
        )
    partial = hours.dt.truncate("1h") != hours
    if partial.any():
        raise UpstreamChangedError(f"{file}: {hours.filter(partial)[0]} is not a full hour")
    return hours


def numbers(frame: pl.DataFrame, columns: Iterable[str], file: str) -> pl.DataFrame:
    """Columns of text as numbers; a blank cell stays null.

    Raises:
        UpstreamChangedError: a cell is neither blank nor a finite number.
    """
    names = list(columns)
    typed = frame.select(pl.col(names).str.strip_chars().cast(pl.Float64, strict=False))
    for name in names:
        bad = (typed[name].is_null() & frame[name].is_not_null()) | ~typed[name].is_finite().fill_null(True)
        if bad.any():
            raise UpstreamChangedError(
                f"{file}, column {name}: {frame[name].filter(bad)[0]!r} is not a number"
            )
    return frame.with_columns(typed)


def total(fuels: Iterable[str]) -> pl.Expr:
    """Generation of all fuels; null where one is unknown or nothing is generated."""
    together = reduce(add, (pl.col(fuel) for fuel in fuels))
    return pl.when(together > 0).then(together)


def share(of: Iterable[str], fuels: Iterable[str]) -> pl.Expr:
    """Share (0 to 1) of some fuels in the generation of all."""
    return reduce(add, (pl.col(fuel) for fuel in of), pl.lit(0.0)) / total(fuels)


def intensity(factors: Mapping[str, float], fuels: Iterable[str]) -> pl.Expr:
    """Mean of the fuels' factors weighted by generation, in the unit of the factors."""
    names = list(fuels)
    return reduce(add, (pl.col(fuel) * factors[fuel] for fuel in names)) / total(names)


def gap(stated: pl.Expr, of_mix: pl.Expr) -> pl.Expr:
    """A stated intensity minus that of its mix, in g/kWh: 0 where the mix explains it but for rounding."""
    between = stated - of_mix
    return pl.when(between.abs() <= ROUNDING_G_PER_KWH).then(0.0).otherwise(between)


def of_year(hours: pl.DataFrame, year: int, file: str) -> pl.DataFrame:
    """The hours of one year; missing ones stay missing.

    Raises:
        UpstreamChangedError: there is none, or one is repeated or stands before an earlier one.
    """
    found = hours.filter(pl.col("hour_utc").dt.year() == year)
    if found.is_empty():
        raise UpstreamChangedError(f"{file}: no hour of {year}")
    steps = found["hour_utc"].diff().dt.total_hours().fill_null(1)
    if (steps <= 0).any():
        at = found["hour_utc"].filter(steps <= 0)[0]
        what = "repeated" if (steps == 0).any() else "out of order"
        raise UpstreamChangedError(f"{file}: {int((steps <= 0).sum())} hours {what}, the first {at}")
    return found


def summary(hours: pl.DataFrame, source: str, year: int) -> pl.DataFrame:
    """One row on the hours of a zone and year, in the columns of raw.hourly_grid_years.

    A mean is that of the hours, which a constant load sees; a weighted one is weighted by generation, as
    yearly statistics are. An hour without a value counts in no mean, and in blank_hours.
    """
    weight = pl.col("generation_weight")

    def weighted(name: str) -> pl.Expr:
        known = weight * pl.col(name).is_not_null()
        return (pl.col(name) * weight).sum() / pl.when(known.sum() > 0).then(known.sum())

    full = (datetime(year + 1, 1, 1) - datetime(year, 1, 1)).days * 24
    return hours.select(
        pl.lit(source).alias("source"),
        pl.col("zone").first(),
        pl.lit(year, dtype=pl.Int64).alias("year"),
        pl.len().cast(pl.Int64).alias("observed_hours"),
        (full - pl.len().cast(pl.Int64)).alias("missing_hours"),
        _count(pl.col(DIRECT).is_null() & pl.col(LIFECYCLE).is_null()).alias("blank_hours"),
        _count(weight < LOW_GENERATION * weight.median()).alias("low_generation_hours"),
        _count(pl.col("cfe_fraction").is_null() & weight.is_not_null()).alias("unexplained_hours"),
        _count(pl.col(LIFECYCLE) < pl.col(DIRECT)).alias("lifecycle_below_direct_hours"),
        pl.col(DIRECT, LIFECYCLE, "cfe_fraction").mean(),
        weighted(DIRECT).alias("weighted_direct_g_per_kwh"),
        weighted(LIFECYCLE).alias("weighted_lifecycle_g_per_kwh"),
        pl.col(DIRECT).min().alias("lowest_direct_g_per_kwh"),
        pl.col(DIRECT).max().alias("highest_direct_g_per_kwh"),
        pl.col(LIFECYCLE).min().alias("lowest_lifecycle_g_per_kwh"),
        pl.col(LIFECYCLE).max().alias("highest_lifecycle_g_per_kwh"),
        pl.col("cfe_fraction").min().alias("lowest_cfe_fraction"),
        pl.col("cfe_fraction").max().alias("highest_cfe_fraction"),
        pl.col("biomass_fraction", "unknown_fraction").mean(),
        pl.col("direct_gap_g_per_kwh", "lifecycle_gap_g_per_kwh").mean(),
        pl.lit(_by_month(hours, DIRECT, year)).alias("direct_by_month"),
        pl.lit(_by_month(hours, LIFECYCLE, year)).alias("lifecycle_by_month"),
        pl.lit(_by_hour(hours, LIFECYCLE, year)).alias("lifecycle_by_hour"),
    )


def _by_month(hours: pl.DataFrame, name: str, year: int) -> str:
    """Twelve means as a JSON list, January first; null where less than nine tenths of the month is known."""
    means: list[float | None] = []
    for known in _months(hours, name, year):
        mean = known[name].mean()
        means.append(round(mean, 3) if isinstance(mean, float) else None)
    return json.dumps(means)


def _by_hour(hours: pl.DataFrame, name: str, year: int) -> str:
    """Twelve lists of the means of the 24 hours of the day, as JSON; null as in `_by_month`."""
    months: list[list[float] | None] = []
    for known in _months(hours, name, year):
        means = (
            known.group_by(pl.col("hour_utc").dt.hour()).agg(pl.col(name).mean().round(2)).sort("hour_utc")
        )
        months.append(means[name].to_list() if means.height == 24 else None)
    return json.dumps(months, separators=(",", ":"))


def _months(hours: pl.DataFrame, name: str, year: int) -> Iterator[pl.DataFrame]:
    """The known hours of each month, January first; none where less than nine tenths are known."""
    for month in range(1, 13):
        known = hours.filter(pl.col("hour_utc").dt.month() == month).drop_nulls(name)
        yield known if known.height >= FULL_MONTH * monthrange(year, month)[1] * 24 else known.clear()


def _count(holds: pl.Expr) -> pl.Expr:
    return holds.fill_null(False).sum().cast(pl.Int64)
