"""Everything Dagster knows about this project."""

import os

import dagster as dg

from pipelines import catalog
from pipelines.checks import all_checks
from pipelines.models import sql_assets
from pipelines.publication import publication_assets
from pipelines.sources.reference import reference_assets
from pipelines.warehouse import Warehouse

build = dg.define_asset_job(
    "build",
    selection=dg.AssetSelection.all(),
    description="Build every table, check it, write the release, publish.",
)

weekly = dg.ScheduleDefinition(
    job=build,
    cron_schedule="0 4 * * 1",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Build anew on Monday at 04:00 UTC.",
)

defs = dg.Definitions(
    assets=[*reference_assets, *sql_assets(), *publication_assets],
    asset_checks=all_checks(),
    jobs=[build],
    schedules=[weekly],
    resources={
        "warehouse": Warehouse(
            directory=os.environ.get("OTE_WAREHOUSE", str(catalog.ROOT / "warehouse")),
            reference=os.environ.get("OTE_REFERENCE", str(catalog.ROOT / "warehouse" / "reference")),
        )
    },
    executor=dg.in_process_executor,  # DuckDB allows one writing process
)
