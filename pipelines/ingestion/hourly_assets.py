"""The assets of the hourly sources: one Parquet file for a zone and year, a Dagster partition each.

Belongs here: where hours lie, how they are written, and which are outdated. Does not belong here: what an
hour is (hourly.py), the columns of one source (sources/), the yearly figures (raw.hourly_grid_years, which
upstream.py makes from the same files).
"""

import os
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from pipelines import catalog
from pipelines.ingestion import ingest
from pipelines.ingestion.hourly import DIRECT, HOURS, LIFECYCLE, ParseZone, summary
from pipelines.ingestion.snapshots import Files
from pipelines.ingestion.tabular import UpstreamChangedError
from pipelines.ingestion.upstream import Upstream
from pipelines.models import OWNERS
from pipelines.sources import carboncast_hourly, eia930_hourly
from pipelines.warehouse import Warehouse

# The files of a source by name, and a fingerprint of them and of the code that reads them.
Inputs = tuple[Mapping[str, bytes], str]
Read = Callable[[Warehouse, Upstream], Inputs]


def path_of(warehouse_folder: Path, source: str, zone: str, year: int) -> Path:
    """Where the hours of a zone and year lie, partitioned as Hive does."""
    return warehouse_folder / "hourly" / source / f"zone={zone}" / f"year={year}" / "hours.parquet"


def write(hours: pl.DataFrame, path: Path, inputs: str) -> None:
    """Store hours and what they were made from; readers see the earlier file or this one, never a part."""
    buffer = BytesIO()
    hours.write_parquet(buffer, compression="zstd", metadata={"inputs": inputs})
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name("hours.partial")
    with partial.open("wb") as file:
        file.write(buffer.getvalue())
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def is_outdated(path: Path, inputs: str) -> bool:
    """Whether hours are missing, cannot be read, or were made from other files or by other code."""
    try:
        return pl.read_parquet_metadata(path).get("inputs") != inputs
    except (FileNotFoundError, pl.exceptions.ComputeError):
        return True


def hours_asset(source: str, partitions: list[str], parse_zone: ParseZone, read: Read) -> dg.AssetsDefinition:
    """The asset that writes the hours of a source, a partition for each zone and year.

    Args:
        source: the folder below warehouse/hourly, and the last part of the asset's key.
        partitions: zone and year, e.g. "CISO-2020"; one run may take any stretch of them.
        parse_zone: the hours of a zone and year from the source's files; FileNotFoundError if one is absent.
        read: the files of the source.
    """

    @dg.asset(
        key=["hourly", source],
        group_name="hourly",
        description=f"Hours of {source} in UTC: intensity and carbon-free share, a file per zone and year.",
        kinds={"parquet", "polars"},
        owners=OWNERS,
        partitions_def=dg.StaticPartitionsDefinition(partitions),
        metadata={"dagster/column_schema": _column_schema(), "sources": [source]},
    )
    def hours(
        context: dg.AssetExecutionContext, warehouse: Warehouse, upstream: Upstream
    ) -> Iterator[dg.AssetMaterialization | dg.MaterializeResult[Any]]:
        files, inputs = read(warehouse, upstream)
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
            write(frame, path, inputs)
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


def outdated(asset: dg.AssetsDefinition, warehouse_folder: Path, settled: ingest.Settled) -> bool:
    """Whether the source of an hourly asset has files that some of its hours were not made from."""
    if not settled.files or not asset.partitions_def:
        return False
    inputs = ingest.fingerprint(catalog.sources()[settled.source], settled.files)
    zones_and_years = (key.rsplit("-", 1) for key in asset.partitions_def.get_partition_keys())
    return any(
        is_outdated(path_of(warehouse_folder, asset.key.path[-1], zone, int(year)), inputs)
        for zone, year in zones_and_years
    )


def _settled(name: str) -> Read:
    """What this run takes of an hourly source."""
    source = catalog.sources()[name]

    def read(warehouse: Warehouse, upstream: Upstream) -> Inputs:
        settled = upstream.settle(warehouse, source)
        files = Files(warehouse.path / "snapshots", settled.files)
        return files, ingest.fingerprint(source, settled.files)

    return read


MODULES = {"carboncast": carboncast_hourly, "eia930": eia930_hourly}

hourly_assets = [
    hours_asset(name, module.PARTITIONS, module.parse_zone, _settled(f"{name}_hourly"))
    for name, module in MODULES.items()
]
