"""The assets of the upstream sources: each becomes raw.<source>, from what was settled for this build.

Belongs here: the setting of where to ask, one asset per source, and the tables of what went in and of
what was turned away. Does not belong here: what is accepted (ingest.py, gates.py), one source's columns
(sources/).
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
from pydantic import PrivateAttr

from pipelines import catalog
from pipelines.catalog import Source, Table
from pipelines.ingestion import gates, ingest, snapshots
from pipelines.ingestion.ingest import Settled
from pipelines.ingestion.snapshots import Origin, Snapshot
from pipelines.models import OWNERS, definition_metadata
from pipelines.warehouse import Warehouse, distrusted_on_failure, replace_table

IS_FRESH = "is_fresh"


class Upstream(dg.ConfigurableResource[Any]):
    """Where a build takes its sources from.

    mirror: address of a copy of the sources, laid out by the file names in catalog.yaml; empty: the live.
    offline: ask nobody; the accepted snapshots are used.
    locked: a release's manifest.json; only the snapshots that it names are used, and nobody is asked.
    settled: what `ote build` settled before the run, so that nothing is asked for twice.
    """

    mirror: str = ""
    offline: str = ""
    locked: str = ""
    settled: str = ""

    _origin: Origin | None = PrivateAttr(default=None)

    def settle(self, warehouse: Warehouse, source: Source) -> Settled:
        """What this build takes of a source."""
        store = warehouse.path / "snapshots"
        if self.settled:
            known = json.loads(Path(self.settled).read_text(encoding="utf-8"))[source.name]
            known["files"] = {file: Snapshot(**snapshot) for file, snapshot in known["files"].items()}
            return Settled(**known)
        if self.locked:
            return ingest.locked(source, snapshots.manifest(Path(self.locked)))
        if self._origin is None:
            self._origin = Origin(mirror=self.mirror, offline=bool(self.offline))
        return ingest.settle(store, source, self._origin)

    def version(self) -> str:
        """The version that a build from a manifest makes again; empty for any other build."""
        if not self.locked:
            return ""
        return str(json.loads(Path(self.locked).read_text(encoding="utf-8")).get("version", ""))


def upstream_asset(table: Table, sources: list[Source]) -> dg.AssetsDefinition:
    """The asset that stores the accepted rows of the sources of a table; it warns of each that is not fresh.

    Without any source, its table is empty.
    """
    key = dg.AssetKey(table.name.split("."))

    @dg.asset(
        key=key,
        group_name="raw",
        description=table.description,
        kinds={"polars", "duckdb"},
        owners=OWNERS,
        metadata={
            **definition_metadata(table, [source.page for source in sources]),
            "producer": "; ".join(source.producer for source in sources),
            "license": "; ".join(source.license for source in sources),
            "republish": all(source.republish for source in sources),
            "cadence_days": min(source.cadence_days for source in sources),
        },
        check_specs=[
            dg.AssetCheckSpec(
                IS_FRESH,
                asset=key,
                description="The upstream answered, and what it sent was accepted. A warning: a build goes "
                "on with the last accepted snapshot, or without the source.",
            )
        ],
    )
    def rows(
        context: dg.AssetExecutionContext, warehouse: Warehouse, upstream: Upstream
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        with distrusted_on_failure(warehouse.connection, table.name):
            taken = [_take(context, warehouse, upstream, source) for source in sources]
            problems = [problem for settled, _, _ in taken for problem in settled.problems[:20]]
            told: dict[str, Any] = {
                "status": ", ".join(settled.status for settled, _, _ in taken),
                "files": sum(len(settled.files) for settled, _, _ in taken),
                "problems": problems,
            }
            yield replace_table(
                warehouse.connection,
                table.name,
                pl.concat([frame for _, frame, _ in taken]),
                metadata={
                    **told,
                    "quarantined_rows": sum(lost["row_key"].n_unique() for _, _, lost in taken),
                    "change": {settled.source: settled.change for settled, _, _ in taken},
                },
            )
        yield dg.AssetCheckResult(
            asset_key=key,
            check_name=IS_FRESH,
            passed=not problems,
            severity=dg.AssetCheckSeverity.WARN,
            metadata=told,
        )

    return rows


def _take(
    context: dg.AssetExecutionContext, warehouse: Warehouse, upstream: Upstream, source: Source
) -> tuple[Settled, pl.DataFrame, pl.DataFrame]:
    """What was settled of a source, its rows, and the cells that turned others away; told and remembered."""
    settled = upstream.settle(warehouse, source)
    for line in ingest.lines(settled):
        (context.log.warning if settled.problems else context.log.info)(line)
    rows, quarantined = _rows(warehouse, source, settled)
    _remember(warehouse, settled, rows.height, quarantined)
    return settled, rows, quarantined


def _rows(warehouse: Warehouse, source: Source, settled: Settled) -> tuple[pl.DataFrame, pl.DataFrame]:
    if settled.files:
        store = warehouse.path / "snapshots"
        return gates.gated(ingest.parsed(store, source, settled.files), source)
    columns = catalog.tables()[source.table].columns
    schema: dict[str, Any] = {column.name: gates.TYPES[column.type] for column in columns}
    empty = pl.DataFrame(schema=schema)
    return empty, pl.DataFrame(schema=gates.QUARANTINE_SCHEMA)


def _remember(warehouse: Warehouse, settled: Settled, row_count: int, quarantined: pl.DataFrame) -> None:
    """Keep what was settled and turned away, for the tables that tell of it."""
    connection = warehouse.connection
    files = json.dumps([asdict(snapshot) for snapshot in settled.files.values()])
    connection.execute(
        "insert or replace into state.settled values (?, ?, ?, ?, ?)",
        [settled.source, settled.status, json.dumps(settled.problems), files, row_count],
    )
    connection.execute("delete from state.quarantine where source = ?", [settled.source])
    connection.register("turned_away", quarantined)
    connection.execute("insert into state.quarantine select * from turned_away")
    connection.unregister("turned_away")


def _table_of(name: str, query: str) -> dg.AssetsDefinition:
    """An asset over the records that the source assets of the same build left."""
    table = catalog.tables()[name]

    @dg.asset(
        key=name.split("."),
        group_name="raw",
        description=table.description,
        kinds={"duckdb"},
        owners=OWNERS,
        deps=[dg.AssetKey(source.table.split(".")) for source in catalog.sources().values()],
        metadata=definition_metadata(table, [source.page for source in catalog.sources().values()]),
    )
    def records(warehouse: Warehouse) -> dg.MaterializeResult[Any]:
        with distrusted_on_failure(warehouse.connection, name):
            return replace_table(warehouse.connection, name, query)

    return records


@dg.asset(
    key=["raw", "upstreams"],
    group_name="raw",
    description=catalog.tables()["raw.upstreams"].description,
    kinds={"yaml", "duckdb"},
    owners=OWNERS,
    deps=[dg.AssetKey(source.table.split(".")) for source in catalog.sources().values()],
    metadata=definition_metadata(catalog.tables()["raw.upstreams"], ["catalog.yaml"]),
)
def upstreams(warehouse: Warehouse) -> dg.MaterializeResult[Any]:
    """The sources of catalog.yaml, with what this build had of each."""
    connection = warehouse.connection
    settled = {
        name: (json.loads(files), row_count)
        for name, files, row_count in connection.execute(
            "select source, files, row_count from state.settled"
        ).fetchall()
    }
    lost = dict(
        connection.execute(
            "select source, count(distinct row_key) from state.quarantine group by source"
        ).fetchall()
    )
    rows = []
    for source in catalog.sources().values():
        files, row_count = settled.get(source.name, ([], 0))
        rows.append(
            {
                "source": source.name,
                "producer": source.producer,
                "title": source.title,
                "url": source.page,
                "license": source.license,
                "citation": source.citation,
                "is_republished": source.republish,
                "sha256": _checksum(files),
                "retrieved_at": max((file["retrieved_at"] for file in files), default=None),
                "row_count": row_count,
                "quarantined_rows": lost.get(source.name, 0),
                "status": "snapshot" if files else "absent",
            }
        )
    frame = pl.DataFrame(rows, schema_overrides={"sha256": pl.String, "retrieved_at": pl.String})
    when = pl.col("retrieved_at").str.to_datetime(time_zone="UTC").dt.replace_time_zone(None)
    return replace_table(connection, "raw.upstreams", frame.with_columns(when))


def _checksum(files: list[dict[str, Any]]) -> str | None:
    """The sha256 of the one file of a source, else of the list of its files with theirs."""
    if len(files) <= 1:
        return str(files[0]["sha256"]) if files else None
    listed = "".join(f"{f['sha256']}  {f['file']}\n" for f in sorted(files, key=lambda f: str(f["file"])))
    return hashlib.sha256(listed.encode()).hexdigest()


SOURCE_FILES = """
select
    source,
    file.file,
    file.url,
    file.sha256,
    file.size_bytes,
    file.http_status,
    left(file.retrieved_at, 19)::timestamp as retrieved_at,
    file.license
from (
    select
        source,
        unnest(
            from_json(
                files,
                '[{"file": "varchar", "url": "varchar", "sha256": "varchar", "size_bytes": "bigint",
                "http_status": "bigint", "retrieved_at": "varchar", "license": "varchar"}]'
            )
        ) as file
    from state.settled
)
"""

QUARANTINE = """
select
    source,
    row_key,
    column_name,
    gate,
    string_agg(distinct cell, '; ' order by cell) as cell,
    min(says) as says
from state.quarantine
group by source, row_key, column_name, gate
"""


def _sources_by_table() -> dict[str, list[Source]]:
    tables: dict[str, list[Source]] = {}
    for source in catalog.sources().values():
        tables.setdefault(source.table, []).append(source)
    return tables


upstream_assets = [
    *(upstream_asset(catalog.tables()[name], sources) for name, sources in _sources_by_table().items()),
    upstreams,
    _table_of("raw.source_files", SOURCE_FILES),
    _table_of("raw.quarantine", QUARANTINE),
]
