"""The asset that writes the site of the release of a build, after that release was published.

Belongs here: nothing else. What a page says is in the other modules of this folder.
"""

from typing import Any

import dagster as dg

from ote.models import OWNERS
from ote.releases import release
from ote.site import building
from ote.warehouse import Warehouse, made_from


@dg.asset(
    key="site",
    group_name="site",
    deps=[dg.AssetKey(["release", "emissions_duckdb"])],
    description="The explorer: a page for each run, organisation, accelerator, location and source, made "
    "from the release, in warehouse/site/. Every link is checked before it replaces the last one.",
    kinds={"html"},
    owners=OWNERS,
    metadata={
        "queries": dg.MetadataValue.path("sql/site"),
        "templates": dg.MetadataValue.path("pipelines/ote/site/templates"),
    },
)
def site(warehouse: Warehouse) -> dg.MaterializeResult[Any]:
    """Write the pages of the release of this build."""
    folder = release.find(warehouse.connection, warehouse.path, made_from(warehouse.connection))
    if folder is None:
        raise dg.Failure(
            f"Nothing in {warehouse.path} holds what was built: materialize release/dataset first.",
            allow_retries=False,
        )
    target = warehouse.path / building.FOLDER
    pages = building.build(folder, target)
    return dg.MaterializeResult(
        metadata={"version": folder.name, "pages": pages, "path": dg.MetadataValue.path(str(target))},
        data_version=dg.DataVersion(building.fingerprint(folder)),
    )
