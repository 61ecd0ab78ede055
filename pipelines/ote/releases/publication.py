"""The assets that publish: the release folder, then the database that people query.

Each asks for a passed record of every table of this very build before it writes, so that neither
publishes after a failed run, also when it is launched alone.
"""

import json
from pathlib import Path
from typing import Any

import dagster as dg

from ote import catalog
from ote.models import OWNERS, raw_sources, results
from ote.quality import checks
from ote.releases import release
from ote.warehouse import Warehouse, made_from, require_unchanged, require_validated

DATASET = dg.AssetKey(["release", "dataset"])
ALL_RAW = ", ".join(sorted({raw for table in catalog.public_tables() for raw in raw_sources(table.name)}))


@dg.asset(
    key=DATASET,
    group_name="release",
    deps=[dg.AssetKey(table.name.split(".")) for table in catalog.public_tables()],
    description="The release: every public table as CSV, Parquet and DuckDB, with data dictionary, manifest "
    "and checksums, in a new folder of warehouse/releases/. A release is never changed. With changes that "
    "are not committed it is a draft, in warehouse/drafts/.",
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
    checked = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["checks"]
    return dg.MaterializeResult(
        metadata={
            "version": folder.name,
            "path": dg.MetadataValue.path(str(folder)),
            **results(warehouse.connection, "out.emissions"),
            "checks passed": checked["passed"],
            "checks failed": checked["total"] - checked["passed"],
            "size (MB)": round(size / 1e6, 2),
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
    description="The database that people query, warehouse/emissions.duckdb: a copy of the release's, "
    "replaced in one step.",
    kinds={"duckdb"},
    owners=OWNERS,
    metadata={"sources": ALL_RAW},
)
def emissions_duckdb(warehouse: Warehouse) -> dg.MaterializeResult[Any]:
    """Put the database of the release of this build where people query it."""
    require_validated(warehouse.connection, checks.fingerprints(warehouse.connection))
    folder = release.find(warehouse.connection, warehouse.path, made_from(warehouse.connection))
    if folder is None:
        raise dg.Failure(
            f"Nothing in {warehouse.path} holds what was built: materialize release/dataset first.",
            allow_retries=False,
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
