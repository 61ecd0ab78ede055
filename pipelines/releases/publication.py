"""The assets that publish: the release folder, then the database that people query.

Each asks for a passed record of every table of this very build before it writes, so that neither
publishes after a failed run, also when it is launched alone.
"""

from pathlib import Path
from typing import Any

import dagster as dg

from pipelines import catalog
from pipelines.models import OWNERS, raw_sources
from pipelines.quality import checks
from pipelines.releases import release
from pipelines.warehouse import Warehouse, made_from, require_unchanged, require_validated

DATASET = dg.AssetKey(["release", "dataset"])
ALL_RAW = sorted({raw for table in catalog.public_tables() for raw in raw_sources(table.name)})


@dg.asset(
    key=DATASET,
    group_name="release",
    deps=[dg.AssetKey(table.name.split(".")) for table in catalog.public_tables()],
    description="Every public table as CSV, Parquet and DuckDB with dictionary, manifest and checksums: "
    "one immutable folder below warehouse/releases/.",
    kinds={"parquet", "csv", "duckdb"},
    owners=OWNERS,
    metadata={"sources": ALL_RAW},
)
def dataset(warehouse: Warehouse) -> dg.MaterializeResult[Any]:
    """Write the release of this build, or a draft where something is not committed."""
    require_validated(warehouse.connection, checks.fingerprints(warehouse.connection))
    made = made_from(warehouse.connection)
    if not made.uncommitted:
        require_unchanged(made)
    folder = release.write(warehouse.connection, warehouse.path, made, Path(warehouse.released))
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return dg.MaterializeResult(
        metadata={
            "version": folder.name,
            "path": dg.MetadataValue.path(str(folder)),
            "megabytes": round(size / 1e6, 2),
            "tables": len(catalog.public_tables()),
            "preview": dg.MetadataValue.md(
                (folder / "SHA256SUMS").read_text(encoding="utf-8").replace("\n", "  \n")
            ),
        },
        data_version=dg.DataVersion(folder.name),
    )


@dg.asset(
    key=["release", "emissions_duckdb"],
    group_name="release",
    deps=[DATASET],
    description="warehouse/emissions.duckdb: the database of the release, replaced in one rename.",
    kinds={"duckdb"},
    owners=OWNERS,
    metadata={"sources": ALL_RAW},
)
def emissions_duckdb(warehouse: Warehouse) -> dg.MaterializeResult[Any]:
    """Put the database of the release of this build where people query it."""
    require_validated(warehouse.connection, checks.fingerprints(warehouse.connection))
    home = release.home(warehouse.path, made_from(warehouse.connection))
    folder = release.find(warehouse.connection, home)
    if folder is None:
        raise dg.Failure(
            f"Nothing in {home} holds what was built: materialize release/dataset first.", allow_retries=False
        )
    release.verify(folder)
    changed = release.publish_database(folder, warehouse.path / "emissions.duckdb")
    return dg.MaterializeResult(
        metadata={
            "version": folder.name,
            "release": dg.MetadataValue.path(str(folder)),
            "replaced": changed,
            "path": dg.MetadataValue.path(str(warehouse.path / "emissions.duckdb")),
        },
        data_version=dg.DataVersion(folder.name),
    )


publication_assets = [dataset, emissions_duckdb]
