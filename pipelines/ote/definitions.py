"""Everything Dagster knows about this project."""

import os
from pathlib import Path

import dagster as dg

from ote import places
from ote.ingestion.reference import reference_assets
from ote.ingestion.upstream import upstream_assets
from ote.models import sql_assets
from ote.quality.checks import all_checks
from ote.releases.publication import publication_assets
from ote.site.asset import site
from ote.sums import sums
from ote.update.job import update_job
from ote.warehouse import Warehouse

BASELINE = os.environ.get("OTE_BASELINE", str(places.BASELINE))

build = dg.define_asset_job(
    "build",
    selection=dg.AssetSelection.all(),
    description="Build and check every table, write the release, publish its database, write its pages. As "
    "`ote build` and as Materialize all. It reads the files of this checkout and fetches nothing.",
)

defs = dg.Definitions(
    assets=[
        *reference_assets,
        *upstream_assets(Path(BASELINE)),
        *sql_assets(),
        sums,
        *publication_assets,
        site,
    ],
    asset_checks=all_checks(),
    jobs=[build, update_job()],
    resources={
        "warehouse": Warehouse(
            directory=os.environ.get("OTE_WAREHOUSE", str(places.WAREHOUSE)),
            reference=os.environ.get("OTE_REFERENCE", str(places.REFERENCE)),
            baseline=BASELINE,
        ),
    },
    executor=dg.in_process_executor,  # DuckDB allows one writing process
)
