"""The files of a release: every public table as CSV, Parquet and in one DuckDB file, and what describes them.

What only the pipeline has, such as pyarrow and the queries as Dagster's assets, is imported where it is used:
whoever downloads or verifies a release needs none of it.

Belongs here: what each file holds, and how it is written. Does not belong here: the folder that they make up,
its version and its place among the others (release.py), or the texts of the metadata (metadata.py).
"""

import csv
import hashlib
from collections.abc import Iterator, Sequence
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import duckdb

from ote import catalog, checkout, sql_files
from ote.files import sha256_of
from ote.names import identifier, literal
from ote.releases import metadata
from ote.releases.record import RECORD, Record
from ote.releases.record import text as record_text

DATABASE = "open-training-emissions.duckdb"
STORAGE_VERSION = "v1.2.0"  # the newest that every client from 1.2 on reads right; no keys, no indexes
BLOCK_BYTES = 16_384  # the least: most columns are small, and each takes whole blocks
COMPRESSION_LEVEL = 12  # of zstd: 4 % smaller than the default, as fast here
ROW_GROUP_ROWS = 200_000  # all rows of a table: what_if is a sixth smaller
DICTIONARY = ("table", "column", "type", "unit", "key", "required", "min", "max", "values", "description")

VIEWS = ("out.what_if",)  # 107,000 rows that follow from some 3,000: a view is half of the database smaller
# Tables that the database holds in another order than that of their key: of equal neighbours, DuckDB stores
# one, so the file is a tenth smaller. Parquet and CSV have the order of the key.
STORED_BY = {
    "out.emission_factors": ("factor", "basis", "value"),
    "out.grid_intensity": ("year",),
    "support.grid_months": ("month_g_per_kwh",),
    "support.grid_shares": ("year",),
    "support.location_factors": ("factor_year",),
    "support.location_mixes": ("location_id", "factor_year"),
    "support.what_if_chips": ("other_hardware_id",),
    "support.what_if_locations": ("gross_kg_per_kwh",),
    "support.what_if_runs": ("pue", "gross_kg_per_kwh"),
}
DEPRECATED = "Deprecated: the name of {} in 0.x; it goes in 1.1."
# What `ote release make` writes after a release. The release must not depend on it: whoever builds the commit
# with the record gets the same content. Only the rows that are scored are published (out.forecasts).
RECORDED = ("raw.forecasts",)
LIBRARIES = ("duckdb", "polars", "pyarrow")  # whose versions can change a value
SOURCE_FACTS = ("source_id", "title", "url", "license", "sha256", "rows", "quarantined_rows", "status")
FILE_FACTS = ("source", "files", "retrieved_at")  # of each source; the table source_files has each file


def write(
    connection: duckdb.DuckDBPyConnection,
    directory: Path,
    made_from: checkout.Checkout,
    record: Record,
    changes: str,
    draft: str,
) -> None:
    """Every file of a release; the checksums come last.

    Args:
        connection: the working database.
        directory: an empty folder.
        made_from: the checkout.
        record: of what was built; it has the version.
        changes: CHANGES.md.
        draft: why this is a draft, though all is committed; empty if it is not.
    """
    from ote.quality import report

    for folder in ("parquet", "csv"):
        (directory / folder).mkdir()
    for table in catalog.public_tables():
        _write_parquet(connection, table, directory / table.parquet_file, record.version)
        if table.csv_file:
            write_csv(connection, table, directory / table.csv_file)
    manifest = {
        "version": record.version,
        "content": record.content,
        "draft": draft,
        "commit": made_from.commit,
        "uncommitted": list(made_from.uncommitted),
        **contents(connection),
        "reading_sha256": checkout.reading_sha256(),
        "catalog_sha256": sha256_of(catalog.ROOT / "catalog.yaml"),
        "libraries": {library: installed_version(library) for library in LIBRARIES},
        "lineage": lineage(connection),
    }
    texts = {
        "manifest.json": metadata.text_of(manifest),
        RECORD: record_text(record),
        "CHANGES.md": changes,
        "checks.html": report.render(connection, RECORDED),
    }
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")
    _write_database(connection, directory / DATABASE, record.version)
    _write_dictionary(directory / "data_dictionary.csv")
    data = {file.relative_to(directory).as_posix(): file for file in files(directory)}
    sha256 = {name: sha256_of(file) for name, file in data.items()}
    sizes = {name: file.stat().st_size for name, file in data.items()}
    for name, text in metadata.files(manifest, sha256, sizes).items():
        (directory / name).write_text(text, encoding="utf-8")
    sums = [f"{sha256_of(file)}  {file.relative_to(directory).as_posix()}\n" for file in files(directory)]
    (directory / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


def lineage(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """What each public table is made by and of, so that two releases tell which of it differs.

    For each: the checksum of all queries behind it, and the sources that they read, by source_id.
    """
    from ote import models

    pages: dict[str, list[str]] = {}
    for source in catalog.sources().values():
        pages.setdefault(source.table, []).append(source.page)
    shared = sql_files.text("macros")
    made: dict[str, Any] = {}
    for table in catalog.public_tables():
        text = shared + "".join(models.code(name) for name in models.method_of(table.name))
        inputs = {
            source_id
            for raw in models.raw_sources(table.name)
            for source_id in (
                [connection.execute("select source_id(?)", [page]).fetchall()[0][0] for page in pages[raw]]
                if raw in pages
                else [f"reference-{raw.removeprefix('raw.').replace('_', '-')}"]
            )
        }
        made[table.stem] = {
            "method_sha256": hashlib.sha256(text.encode()).hexdigest(),
            "inputs": sorted(inputs),
        }
    return made


def _select(table: catalog.Table, first: Sequence[str] = ()) -> str:
    """The rows of a table in the order of its key, or of some columns and then its key."""
    columns = ", ".join(identifier(column.name) for column in table.columns)
    order = ", ".join(map(identifier, (*first, *table.key)))
    return f"select {columns} from {identifier(table.layer)}.{identifier(table.stem)} order by {order}"


def write_csv(connection: duckdb.DuckDBPyConnection, table: catalog.Table, path: Path) -> None:
    """Write a CSV that a spreadsheet shows and does not execute (macro spreadsheet_safe); .gz is packed."""
    cells = ", ".join(
        f"spreadsheet_safe({name}) as {name}" if column.type == "varchar" else name
        for column in table.columns
        for name in [identifier(column.name)]
    )
    rows = f"select {cells} from ({_select(table)})"
    connection.execute(f"copy ({rows}) to {literal(path)} (format csv, header)")


def _write_parquet(
    connection: duckdb.DuckDBPyConnection, table: catalog.Table, path: Path, name: str
) -> None:
    """Write with pyarrow, the one writer that keeps the description and unit of each column."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = connection.sql(_select(table)).to_arrow_table().combine_chunks()
    fields = [
        field.with_metadata(
            {"description": column.description, "unit": column.unit}
            | ({"deprecated_since": column.deprecated_since} if column.deprecated_since else {})
        )
        for field, column in zip(rows.schema, table.columns, strict=True)
    ]
    dataset = catalog.dataset()
    about = {
        "title": f"{dataset.title}: {table.stem}",
        "description": table.description,
        "version": name,
        "license": dataset.license,
        "key": ", ".join(table.key),
    }
    described = rows.cast(pa.schema(fields)).replace_schema_metadata(about)
    # Of rounded numbers, the first bytes differ and the last are zero: apart, they are a fifth of the size.
    # Of numbers that count up, the differences are next to nothing.
    encodings = {"double": "BYTE_STREAM_SPLIT", "bigint": "DELTA_BINARY_PACKED"} if table.parquet_only else {}
    encoded = {c.name: encodings[c.type] for c in table.columns if c.type in encodings}
    pq.write_table(
        described,
        path,
        compression="zstd",
        compression_level=COMPRESSION_LEVEL,
        row_group_size=ROW_GROUP_ROWS,
        use_dictionary=[c.name for c in table.columns if c.name not in encoded],
        column_encoding=encoded or None,
    )


def _write_database(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Write the public tables to schema main of a file, with comments, and the others to `support`.

    A view `release` names the release, and others know the tables by their old names.
    """
    connection.execute("set zstd_min_string_length = 1")  # of names and links too: 6 % smaller
    connection.execute(
        f"attach {literal(path)} as published (storage_version '{STORAGE_VERSION}', block_size {BLOCK_BYTES})"
    )
    try:
        connection.execute("begin")  # one commit, not one for each of a thousand statements: half of the time
        try:
            _write_relations(connection, name)
        except BaseException:
            connection.execute("rollback")
            raise
        connection.execute("commit")
        connection.execute("checkpoint published")
    finally:
        connection.execute("detach published")


def _write_relations(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """The tables and views of the database."""
    connection.execute("create schema published.support")
    for table in sorted(catalog.published_tables(), key=lambda table: table.name in VIEWS):
        _write_relation(connection, table)
    title = catalog.dataset().title
    about = f"select {literal(name)} as version, {literal(title)} as title"
    views = {"release": (about, "The release that this database belongs to.")}
    views |= {
        old: (_old_table(table), DEPRECATED.format(table.of)) for old, table in catalog.old_tables().items()
    }
    for view, (query, says) in views.items():
        connection.execute(f"create view published.main.{identifier(view)} as {query}")
        connection.execute(f"comment on view published.main.{identifier(view)} is {literal(says)}")
    for column, says in (("version", "Version of the release."), ("title", "Name of the dataset.")):
        connection.execute(f"comment on column published.main.release.{column} is {literal(says)}")


def _write_relation(connection: duckdb.DuckDBPyConnection, table: catalog.Table) -> None:
    """A table of the database with its rows, its comments and the old names of its columns; or a view."""
    target, kind = f"published.{table.published_as}", "view" if table.name in VIEWS else "table"
    if kind == "view":
        from ote import models

        connection.execute(f"create view {target} as {models.inlined(models.queries()[table.name])}")
    else:
        typed = [f"{identifier(column.name)} {column.type}" for column in table.columns]
        typed += [
            f"{identifier(old)} {column.type} generated always as ({identifier(column.name)}) virtual"
            for old, now in table.old_columns.items()
            for column in table.columns
            if column.name == now
        ]
        connection.execute(f"create table {target} ({', '.join(typed)})")
        connection.execute(f"insert into {target} {_select(table, STORED_BY.get(table.name, ()))}")
    connection.execute(f"comment on {kind} {target} is {literal(table.description)}")
    comments = {column.name: column.comment for column in table.columns}
    comments |= {old: DEPRECATED.format(now) for old, now in table.old_columns.items()}
    for column, says in comments.items():
        connection.execute(f"comment on column {target}.{identifier(column)} is {literal(says)}")


def _old_table(old: catalog.OldTable) -> str:
    """The query of the view by which a table is known under its old name."""
    renamed = ", ".join(f"{identifier(now)} as {identifier(was)}" for was, now in old.columns.items())
    select = f"select * rename ({renamed})" if renamed else "select *"
    return f"{select} from {old.of}" + (f" where {old.where}" if old.where else "")


def dictionary_rows() -> list[list[str]]:
    """The data dictionary: a row for every column of every public table."""
    return [
        [
            table.stem,
            column.name,
            column.type,
            column.unit,
            "yes" if column.name in table.key else "no",
            "yes" if column.required else "no",
            "" if column.min is None else f"{column.min:g}",
            "" if column.max is None else f"{column.max:g}",
            " ".join(column.values),
            column.description,
        ]
        for table in catalog.public_tables()
        for column in table.columns
    ]


def _write_dictionary(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(DICTIONARY)
        writer.writerows(dictionary_rows())


def contents(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """What the release is and what went in; nothing in it depends on when or where it was built."""
    dataset = catalog.dataset()
    sources = connection.execute(
        "select source_id, title, url, license, sha256, rows, quarantined_rows, status from out.sources "
        "where status <> 'cited' order by source_id"
    ).fetchall()
    files = connection.execute(
        "select source, count(*), cast(max(retrieved_at) as varchar) from support.source_files "
        "group by source order by source"
    ).fetchall()
    passed, total = connection.execute(
        "select count(*) filter (where success), count(*) from state.results "
        "where not list_contains(?, name)",
        [list(RECORDED)],
    ).fetchall()[0]
    counts = dict(connection.execute("select name, row_count from state.tables").fetchall())
    return {
        "name": dataset.name,
        "title": dataset.title,
        "schema_version": dataset.version,
        "license": dataset.license,
        "method": dataset.method,
        "checks": {"passed": passed, "total": total},
        "tables": {table.stem: counts[table.name] for table in catalog.public_tables()},
        "sources": [dict(zip(SOURCE_FACTS, row, strict=True)) for row in sources],
        "source_files": [dict(zip(FILE_FACTS, row, strict=True)) for row in files],
    }


def files(directory: Path) -> Iterator[Path]:
    """The files of a release but its sums, in order."""
    return (f for f in sorted(directory.rglob("*")) if f.is_file() and f.name != "SHA256SUMS")
