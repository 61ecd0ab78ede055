"""The raw tables of the upstreams, from the rows that were accepted: warehouse/baseline/.

Belongs here: the files of the baseline as external assets, the raw table of each source, and the tables that
say what went in and what was turned away. Nothing here touches a network. Does not belong here: what is
accepted (update/), or one source's columns (sources/).
"""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from ote import catalog
from ote.catalog import Source
from ote.ingestion import baseline
from ote.models import OWNERS, raw_asset


def key_of(source: Source) -> dg.AssetKey:
    """The external asset that stands for the accepted rows of a source."""
    return dg.AssetKey(["upstream", source.name])


def baseline_spec(source: Source, folder: Path) -> dg.AssetSpec:
    """The accepted rows of a source as Dagster shows them: where they are from, and how they last changed."""
    origin = baseline.origins(folder).get(source.name)
    shown: dict[str, Any] = {
        "publisher": source.producer,
        "page": dg.MetadataValue.url(source.page),
        "license": source.license,
        "file": f"warehouse/baseline/{source.name}.csv",
    }
    if origin:
        shown |= {
            "retrieved": origin.retrieved_at[:10],
            "last accepted change": origin.last_change,
            "quarantined rows": origin.quarantined_rows,
            "dagster/row_count": origin.rows,
        }
    return dg.AssetSpec(
        key_of(source),
        group_name="upstream",
        description=f"{source.title}, published by {source.producer}.\n\nThese are the accepted rows: a CSV "
        "file that is tracked in git. A build reads them and never changes them. To fetch what the publisher "
        f"has now, run the job `update` (`ote update {source.name}`): it compares first, and its comparison "
        "appears here as the latest event. Then review the change, and commit it.",
        kinds={"csv"},
        owners=OWNERS,
        metadata=shown,
    )


def upstream_asset(table: str) -> dg.AssetsDefinition:
    """The asset that stores the accepted rows of the sources of a table."""
    sources = catalog.sources_of(table)
    return raw_asset(
        table,
        "upstream",
        partial(baseline.rows_of, table=table),
        [source.page for source in sources],
        map(key_of, sources),
        "baseline",
        producer="; ".join(source.producer for source in sources),
        license="; ".join(source.license for source in sources),
    )


def upstreams(folder: Path) -> pl.DataFrame:
    """raw.upstreams: what was accepted of each source of catalog.yaml; none before its first update."""
    origins, files = baseline.origins(folder), baseline.files(folder)
    edited = baseline.edited(folder)
    lost = baseline.quarantine(folder)
    rows = [
        {
            "source": source.name,
            "producer": source.producer,
            "title": source.title,
            "url": source.page,
            "license": source.license,
            "citation": source.citation,
            "is_republished": True,
            "sha256": _checksum([*files.get(source.name, {}).values()]),
            "retrieved_at": origins[source.name].retrieved_at,
            "row_count": baseline.load(folder, source)[0].height,
            "quarantined_rows": lost.filter(pl.col("source") == source.name)["row_key"].n_unique(),
            "status": "edited" if source.name in edited else "accepted",
        }
        for source in catalog.sources().values()
        if source.name in origins
    ]
    return pl.DataFrame(rows).with_columns(_utc("retrieved_at"))


def source_files(folder: Path) -> pl.DataFrame:
    """raw.source_files: every file that accepted rows were made from."""
    rows = [
        {
            "source": facts.source,
            "file": facts.file,
            "url": facts.url,
            "sha256": facts.sha256,
            "size_bytes": facts.size_bytes,
            "http_status": facts.http_status,
            "retrieved_at": facts.retrieved_at,
            "license": catalog.sources()[facts.source].license,
        }
        for files in baseline.files(folder).values()
        for facts in files.values()
    ]
    return pl.DataFrame(rows).with_columns(_utc("retrieved_at"))


def quarantine(folder: Path) -> pl.DataFrame:
    """raw.quarantine: one row a finding, where a key failed a rule several times as well."""
    key = ["source", "row_key", "column_name", "check_name"]
    cells = pl.col("cell").unique().sort().str.join("; ", ignore_nulls=True)
    return baseline.quarantine(folder).group_by(key).agg(cells, pl.col("message").min()).sort(key)


RECORDS: dict[str, Callable[[Path], pl.DataFrame]] = {
    "raw.upstreams": upstreams,
    "raw.source_files": source_files,
    "raw.quarantine": quarantine,
}


def _utc(column: str) -> pl.Expr:
    """A time as written ("2026-03-30T00:00:00+00:00") in UTC, without a zone."""
    return pl.col(column).str.to_datetime(time_zone="UTC").dt.replace_time_zone(None)


def _checksum(files: list[baseline.FileFacts]) -> str | None:
    """The sha256 of the one file of a source, else of the list of its files with theirs."""
    if len(files) <= 1:
        return files[0].sha256 if files else None
    listed = "".join(f"{facts.sha256}  {facts.file}\n" for facts in sorted(files, key=lambda f: f.file))
    return hashlib.sha256(listed.encode()).hexdigest()


def upstream_assets(folder: Path) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """All that Dagster shows of the upstreams.

    Args:
        folder: the baseline whose origin the external assets show.
    """
    sources = catalog.sources().values()
    every = [key_of(source) for source in sources]
    return [
        *(baseline_spec(source, folder) for source in sources),
        *map(upstream_asset, sorted({source.table for source in sources})),
        *(
            raw_asset(n, "upstream", rows, ["warehouse/baseline/"], every, "baseline")
            for n, rows in RECORDS.items()
        ),
    ]
