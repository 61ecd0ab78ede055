"""Hours of a grid: one Parquet file for a zone and year, and what the hours of a year come to.

Belongs here: what the hourly sources share (time, shares of a mix), the assets that write hours, and the
yearly figures read back from them. Does not belong here: the columns and factors of one source (sources/),
or the comparison with yearly figures of others (sql/out/hourly_comparison.sql).
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import reduce
from io import BytesIO
from operator import add
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from pipelines import catalog
from pipelines.models import OWNERS, definition_metadata
from pipelines.tabular import UpstreamChangedError
from pipelines.warehouse import Warehouse, distrusted_on_failure, replace_table

# An hour as stored. generation_weight is the generation in the source's own unit (the mean MW of the hour;
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

# A slash means month first: with the day first, 13/01 fails here, as it should.
TIMES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S+00:00", "%m/%d/%Y %H:%M:%S")

ParseZone = Callable[[Mapping[str, bytes], str, int], pl.DataFrame]
Read = Callable[[Warehouse], Mapping[str, bytes]]


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
        raise UpstreamChangedError(f"{file}: {hours.filter(partial)[0]} is no full hour")
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
            raise UpstreamChangedError(f"{file}, column {name}: {frame[name].filter(bad)[0]!r} is no number")
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
    )


def _count(holds: pl.Expr) -> pl.Expr:
    return holds.fill_null(False).sum().cast(pl.Int64)


def path_of(warehouse_folder: Path, source: str, zone: str, year: int) -> Path:
    """Where the hours of a zone and year lie, partitioned as Hive does."""
    return warehouse_folder / "hourly" / source / f"zone={zone}" / f"year={year}" / "hours.parquet"


def write(hours: pl.DataFrame, path: Path) -> None:
    """Store hours; whoever reads meanwhile sees the earlier file or this one, and never a part."""
    buffer = BytesIO()
    hours.write_parquet(buffer, compression="zstd")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name("hours.partial")
    with partial.open("wb") as file:
        file.write(buffer.getvalue())
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def yearly(warehouse_folder: Path) -> pl.DataFrame:
    """The yearly figures of all hours that were written; no rows if there are none."""
    found = sorted((warehouse_folder / "hourly").glob("*/zone=*/year=*/hours.parquet"))
    rows = [
        summary(
            pl.read_parquet(path, hive_partitioning=False),
            f"{path.parents[2].name}_hourly",
            int(path.parent.name.removeprefix("year=")),
        )
        for path in found
    ]
    return pl.concat([summary(pl.DataFrame(schema=HOURS), "", 2020).clear(), *rows])


def hours_asset(
    source: str, partitions: list[str], parse_zone: ParseZone, read: Read, deps: Iterable[dg.AssetKey] = ()
) -> dg.AssetsDefinition:
    """The asset that writes the hours of a source, a partition for each zone and year.

    Args:
        source: the folder below warehouse/hourly, and the last part of the asset's key.
        partitions: zone and year, e.g. "CISO-2020"; one run may take any stretch of them.
        parse_zone: the hours of a zone and year from the source's files; FileNotFoundError if one is absent.
        read: the accepted files of the source by name.
        deps: assets that must be there first.
    """

    @dg.asset(
        key=["hourly", source],
        group_name="hourly",
        deps=list(deps),
        description=f"Hours of {source} in UTC: intensity and carbon-free share, a file per zone and year.",
        kinds={"parquet", "polars"},
        owners=OWNERS,
        partitions_def=dg.StaticPartitionsDefinition(partitions),
        backfill_policy=dg.BackfillPolicy.single_run(),  # beta in Dagster 1.13
        metadata={"dagster/column_schema": _column_schema(), "sources": [source]},
    )
    def hours(
        context: dg.AssetExecutionContext, warehouse: Warehouse
    ) -> Iterator[dg.AssetMaterialization | dg.MaterializeResult[Any]]:
        files = read(warehouse)
        written: dict[str, dict[str, Any]] = {}
        failed: dict[str, str] = {}
        for partition in context.partition_keys:
            zone, year = partition.rsplit("-", 1)
            try:
                frame = parse_zone(files, zone, int(year))
            except (FileNotFoundError, UpstreamChangedError) as error:
                failed[partition] = str(error)
                continue
            path = path_of(warehouse.path, source, zone, int(year))
            write(frame, path)
            written[partition] = _facts(frame, source, int(year), path.relative_to(warehouse.path))
        if failed:
            # A failed step reports no output, so what was written is reported here.
            for partition, facts in written.items():
                yield dg.AssetMaterialization(context.asset_key, metadata=facts, partition=partition)
            says = "\n  ".join(f"{partition}: {problem}" for partition, problem in failed.items())
            raise dg.Failure(
                f"hourly/{source} lacks {len(failed)} partitions:\n  {says}", allow_retries=False
            )
        for partition, facts in written.items():
            context.add_asset_metadata(facts, partition_key=partition)
        yield dg.MaterializeResult()

    return hours


def _facts(frame: pl.DataFrame, source: str, year: int, path: Path) -> dict[str, Any]:
    row = summary(frame, source, year).row(0, named=True)
    nulls = sum(frame.null_count().row(0))
    return {
        "dagster/row_count": row["observed_hours"],
        "nulls": nulls,
        "path": str(path),
        **{name: value for name, value in row.items() if name.endswith("_hours") and value},
        **{name: row[name] for name in (DIRECT, LIFECYCLE, "cfe_fraction") if row[name] is not None},
    }


def _column_schema() -> dg.TableSchema:
    return dg.TableSchema(columns=[dg.TableColumn(name, type=str(kind)) for name, kind in HOURS.items()])


def every_partition(asset: dg.AssetsDefinition) -> dict[str, str]:
    """The tags with which one run takes all partitions of an asset."""
    keys = asset.partitions_def.get_partition_keys() if asset.partitions_def else []
    return {
        "dagster/asset_partition_range_start": keys[0],
        "dagster/asset_partition_range_end": keys[-1],
    }


def years_asset(sources: Iterable[str]) -> dg.AssetsDefinition:
    """The asset raw.hourly_grid_years: what the hours of each zone and year come to.

    Args:
        sources: the names that hours_asset was given.
    """
    name = "raw.hourly_grid_years"
    table = catalog.tables()[name]
    keys = [["hourly", source] for source in sources]

    @dg.asset(
        key=name.split("."),
        group_name="raw",
        deps=[dg.AssetKey(key) for key in keys],
        description=table.description,
        kinds={"parquet", "polars", "duckdb"},
        owners=OWNERS,
        metadata=definition_metadata(table, ["/".join(key) for key in keys]),
    )
    def hourly_grid_years(warehouse: Warehouse) -> dg.MaterializeResult[Any]:
        with distrusted_on_failure(warehouse.connection, name):
            return replace_table(warehouse.connection, name, yearly(warehouse.path))

    return hourly_grid_years
