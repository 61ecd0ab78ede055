"""Everything Dagster knows about this project."""

import os
from pathlib import Path

import dagster as dg

from pipelines import catalog
from pipelines.ingestion.reference import reference_assets
from pipelines.ingestion.upstream import upstream_assets
from pipelines.models import sql_assets
from pipelines.quality.checks import all_checks
from pipelines.releases.publication import publication_assets
from pipelines.site.asset import site
from pipelines.update.job import update_job
from pipelines.warehouse import Warehouse

HOME = catalog.ROOT / "warehouse"
BASELINE = os.environ.get("OTE_BASELINE", str(HOME / "baseline"))

build = dg.define_asset_job(
    "build",
    selection=dg.AssetSelection.all(),
    description="Build and check every table, write the release, publish its database, write its pages. As "
    "`ote build` and as Materialize all. It reads the files of this checkout and fetches nothing.",
)

defs = dg.Definitions(
    assets=[*reference_assets, *upstream_assets(Path(BASELINE)), *sql_assets(), *publication_assets, site],
    asset_checks=all_checks(),
    jobs=[build, update_job()],
    resources={
        "warehouse": Warehouse(
            directory=os.environ.get("OTE_WAREHOUSE", str(HOME)),
            reference=os.environ.get("OTE_REFERENCE", str(HOME / "reference")),
            baseline=BASELINE,
        ),
    },
    executor=dg.in_process_executor,  # DuckDB allows one writing process
)
