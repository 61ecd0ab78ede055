"""The curated facts: one CSV below warehouse/reference/ is one raw table of the same name.

Belongs here: the assets of these files. Does not belong here: any change of a value, or what the values
mean together (sql/core).
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from pipelines import catalog
from pipelines.ingestion.curated import file_tables, read
from pipelines.ingestion.facts import read_text
from pipelines.models import OWNERS, definition_metadata
from pipelines.warehouse import Warehouse, distrusted_on_failure, replace_table


def reference_asset(table: catalog.Table) -> dg.AssetsDefinition:
    """The asset of one curated file."""
    path = f"warehouse/reference/{table.stem}.csv"

    @dg.asset(
        key=table.name.split("."),
        group_name="reference",
        description=table.description,
        kinds={"csv", "polars", "duckdb"},
        owners=OWNERS,
        metadata=definition_metadata(table, [path]),
    )
    def facts(warehouse: Warehouse) -> dg.MaterializeResult[Any]:
        with distrusted_on_failure(warehouse.connection, table.name):
            frame = read(Path(warehouse.reference), table)
            return replace_table(warehouse.connection, table.name, frame)

    return facts


def reference_files(directory: Path) -> pl.DataFrame:
    """raw.reference_files: the curated files with their checksums."""
    dataset = catalog.document()["dataset"]
    rows = [
        {
            "source_id": f"reference-{table.stem.replace('_', '-')}",
            "producer": dataset["title"],
            "title": table.description.split(". ")[0].removesuffix("."),  # the first sentence
            "url": f"warehouse/reference/{table.stem}.csv",
            "license": dataset["license"],
            "sha256": hashlib.sha256((directory / f"{table.stem}.csv").read_bytes()).hexdigest(),
            "row_count": len(read_text(directory, table).rows),
        }
        for table in file_tables()
    ]
    return pl.DataFrame(rows)


def publishers(directory: Path) -> pl.DataFrame:
    """raw.publishers: known producers, from catalog.yaml."""
    return pl.DataFrame(
        [vars(publisher) for publisher in catalog.publishers()], schema_overrides={"license": pl.String}
    )


RECORDS: dict[str, Callable[[Path], pl.DataFrame]] = {
    "raw.reference_files": reference_files,
    "raw.publishers": publishers,
}


def record_asset(name: str) -> dg.AssetsDefinition:
    """The asset of a table about the curated facts: their files, or the producers of what they cite."""
    table = catalog.tables()[name]

    @dg.asset(
        key=name.split("."),
        group_name="reference",
        description=table.description,
        kinds={"csv", "duckdb"},
        owners=OWNERS,
        deps=[dg.AssetKey(table.name.split(".")) for table in file_tables()],
        metadata=definition_metadata(table, ["warehouse/reference/*.csv", "catalog.yaml"]),
    )
    def records(warehouse: Warehouse) -> dg.MaterializeResult[Any]:
        with distrusted_on_failure(warehouse.connection, name):
            return replace_table(warehouse.connection, name, RECORDS[name](Path(warehouse.reference)))

    return records


reference_assets = [*(reference_asset(table) for table in file_tables()), *map(record_asset, RECORDS)]
