"""Everything Dagster knows about this project."""

import os

import dagster as dg

from pipelines import catalog
from pipelines.ingestion.hourly_assets import every_partition, hourly_assets
from pipelines.ingestion.upstream import Upstream, upstream_assets
from pipelines.models import sql_assets
from pipelines.quality.checks import all_checks
from pipelines.releases.publication import publication_assets
from pipelines.sources.reference import reference_assets
from pipelines.warehouse import Warehouse

build = dg.define_asset_job(
    "build",
    selection=dg.AssetSelection.all() - dg.AssetSelection.groups("hourly"),
    description="Build every table, check it, write the release, publish.",
)

hourly_jobs = [
    dg.define_asset_job(
        f"hourly_{asset.key.path[-1]}",
        selection=dg.AssetSelection.assets(asset),
        description="Write the hours of each zone and year: a partition each, or a range of them in one run.",
    )
    for asset in hourly_assets
]


def _schedule(job: str, tags: dict[str, str]) -> dg.ScheduleDefinition:
    """The hours of one source, half an hour before the rest."""

    @dg.schedule(
        job_name=job,
        name=f"{job}_weekly",
        cron_schedule="30 3 * * 1",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Write the hours anew on Monday at 03:30 UTC.",
    )
    def weekly_hours() -> dg.RunRequest:
        return dg.RunRequest(tags=tags)

    return weekly_hours


hourly_schedules = [
    _schedule(f"hourly_{asset.key.path[-1]}", every_partition(asset)) for asset in hourly_assets
]

weekly = dg.ScheduleDefinition(
    job=build,
    cron_schedule="0 4 * * 1",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Build anew on Monday at 04:00 UTC.",
)

defs = dg.Definitions(
    assets=[*reference_assets, *upstream_assets, *hourly_assets, *sql_assets(), *publication_assets],
    asset_checks=all_checks(),
    jobs=[build, *hourly_jobs],
    schedules=[weekly, *hourly_schedules],
    resources={
        "warehouse": Warehouse(
            directory=os.environ.get("OTE_WAREHOUSE", str(catalog.ROOT / "warehouse")),
            reference=os.environ.get("OTE_REFERENCE", str(catalog.ROOT / "warehouse" / "reference")),
        ),
        "upstream": Upstream(
            mirror=os.environ.get("OTE_MIRROR", ""),
            offline=os.environ.get("OTE_OFFLINE", ""),
            locked=os.environ.get("OTE_LOCKED", ""),
            settled=os.environ.get("OTE_SETTLED", ""),
        ),
    },
    executor=dg.in_process_executor,  # DuckDB allows one writing process
)
