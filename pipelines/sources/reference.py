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
from pipelines.ingestion.facts import (
    BadReferenceError,
    File,
    Problem,
    cell_problems,
    duplicates,
    read_text,
    typed,
    unknown_references,
)
from pipelines.ingestion.training_run_rules import training_run_problems
from pipelines.models import OWNERS, definition_metadata
from pipelines.warehouse import Warehouse, distrusted_on_failure, replace_table

SHOWN = 20
RULES: dict[str, Callable[[File, Path], list[Problem]]] = {"raw.training_runs": training_run_problems}


def file_tables() -> list[catalog.Table]:
    """The raw tables that are curated files: those with a file of their name."""
    return [
        table for name, table in catalog.tables().items() if name.startswith("raw.") and not _is_made(table)
    ]


def _is_made(table: catalog.Table) -> bool:
    made = {"raw.publishers", "raw.reference_files", "raw.upstreams", "raw.source_files", "raw.quarantine"}
    return table.name in made | {source.table for source in catalog.sources().values()}


def read(directory: Path, table: catalog.Table) -> pl.DataFrame:
    """A curated file as a frame in the catalog's types; an empty cell is null.

    Raises:
        BadReferenceError: names every row that cannot be taken.
    """
    file = read_text(directory, table)
    problems = [*cell_problems(file, table), *duplicates(file, table)]
    if not problems:
        problems += unknown_references(file, table, directory)
        if rule := RULES.get(table.name):
            problems += rule(file, directory)
    if problems:
        shown = "\n  ".join(str(problem) for problem in sorted(problems, key=lambda p: p.line)[:SHOWN])
        more = f"\n  and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise BadReferenceError(f"{file.path}: {len(problems)} problems\n  {shown}{more}")
    return typed(file, table)


def reference_asset(table: catalog.Table) -> dg.AssetsDefinition:
    """The asset of one curated file."""
    path = f"warehouse/reference/{table.stem}.csv"

    @dg.asset(
        key=table.name.split("."),
        group_name="raw",
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


def _file_facts(directory: Path, table: catalog.Table) -> dict[str, Any]:
    content = (directory / f"{table.stem}.csv").read_bytes()
    return {
        "source_id": f"reference-{table.stem.replace('_', '-')}",
        "producer": catalog.document()["dataset"]["title"],
        "title": table.description,
        "url": f"warehouse/reference/{table.stem}.csv",
        "license": catalog.document()["dataset"]["license"],
        "sha256": hashlib.sha256(content).hexdigest(),
        "row_count": len(read_text(directory, table).rows),
    }


@dg.asset(
    key=["raw", "reference_files"],
    group_name="raw",
    description=catalog.tables()["raw.reference_files"].description,
    kinds={"csv", "duckdb"},
    owners=OWNERS,
    deps=[dg.AssetKey(table.name.split(".")) for table in file_tables()],
    metadata=definition_metadata(catalog.tables()["raw.reference_files"], ["warehouse/reference/*.csv"]),
)
def reference_files(warehouse: Warehouse) -> dg.MaterializeResult[Any]:
    """The curated files with their checksums."""
    directory = Path(warehouse.reference)
    frame = pl.DataFrame([_file_facts(directory, table) for table in file_tables()])
    return replace_table(warehouse.connection, "raw.reference_files", frame)


@dg.asset(
    key=["raw", "publishers"],
    group_name="raw",
    description=catalog.tables()["raw.publishers"].description,
    kinds={"yaml", "duckdb"},
    owners=OWNERS,
    metadata=definition_metadata(catalog.tables()["raw.publishers"], ["catalog.yaml"]),
)
def publishers(warehouse: Warehouse) -> dg.MaterializeResult[Any]:
    """Known producers, from catalog.yaml."""
    frame = pl.DataFrame(
        [vars(publisher) for publisher in catalog.publishers()], schema_overrides={"license": pl.String}
    )
    return replace_table(warehouse.connection, "raw.publishers", frame)


reference_assets = [*(reference_asset(table) for table in file_tables()), reference_files, publishers]
