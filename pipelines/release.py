"""A release: one immutable folder with every public table as CSV, Parquet and in one DuckDB file.

Belongs here: writing that folder and the published database, each whole or not at all.
Does not belong here: whether the build is fit to be published (warehouse.require_validated).
"""

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import catalog, changes, metadata, models, report, snapshots

DATABASE = "open-training-emissions.duckdb"
INPUTS = "inputs.zip"
LATEST = "latest"  # a link
READERS = ("facts", "hourly", "tabular", "training_run_rules", "upstream")
STORAGE_VERSION = "v1.2.0"  # the newest that every client from 1.2 on reads right; no keys, no indexes
ROW_GROUP_ROWS = 50_000
DICTIONARY = ("table", "column", "type", "unit", "key", "required", "min", "max", "values", "description")

SOURCE_FACTS = ("source_id", "title", "url", "license", "sha256", "rows", "quarantined_rows", "status")
FILE_FACTS = (
    "source", "file", "url", "sha256", "size_bytes", "http_status", "retrieved_at", "license",
)  # fmt: skip


class BrokenReleaseError(Exception):
    """A release on disk is not what its SHA256SUMS says."""


def checksum(connection: duckdb.DuckDBPyConnection) -> str:
    """A checksum of all that a release holds, the last part of its version: equal content, equal checksum."""
    names = [table.name for table in catalog.public_tables()]
    known = dict(connection.execute("select name, version from state.tables").fetchall())
    content = [
        [[name, known[name]] for name in names],
        dictionary_rows(),
        _manifest(connection),
        report.render(connection),
        pa.__version__,
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:8]


def find(connection: duckdb.DuckDBPyConnection, releases: Path) -> Path | None:
    """The release that holds what was built, if there is one."""
    return next(
        (folder for folder in _folders(releases) if folder.name.endswith(f"+{checksum(connection)}")), None
    )


def write_release(connection: duckdb.DuckDBPyConnection, releases: Path, named: str = "") -> Path:
    """Write the release of what was built, unless it is there already; a release is never changed.

    Its version follows from what differs from the latest release: see changes.py. The first has that of the
    catalog. The index and the link `latest` follow, each in one rename, after the release is whole.

    Args:
        connection: the working database.
        releases: the folder of all releases.
        named: a version to take, if it is that of this very content: of a release that is built again.

    Raises:
        BrokenReleaseError: a release of this content exists, but its files are not whole.
    """
    releases.mkdir(parents=True, exist_ok=True)
    for leftover in releases.glob(".*.partial"):
        shutil.rmtree(leftover) if leftover.is_dir() and not leftover.is_symlink() else leftover.unlink()
    if final := find(connection, releases):
        verify(final)
        _point(releases)
        return final
    content = checksum(connection)
    if _folders(releases):
        _point(releases)
    previous = latest(releases)
    partial = releases / f".{content}.partial"
    partial.mkdir()
    name = named if named.endswith(f"+{content}") else f"{catalog.document()['dataset']['version']}+{content}"
    _write_tables(connection, partial, name)
    if previous is not None:
        difference = changes.compare(previous, partial)
        if name != named:
            name = f"{changes.next_version(previous.name, difference.step)}+{content}"
            _write_tables(connection, partial, name)
        difference = replace(difference, new_version=name)
        difference.cells.write_parquet(partial / "changes.parquet", compression="zstd")
        (partial / "CHANGES.md").write_text(changes.page(difference), encoding="utf-8")
    _write_files(connection, partial, releases.parent / "snapshots")
    for file in sorted(partial.rglob("*")):
        _sync(file)
    _sync(partial)
    final = releases / name
    partial.rename(final)
    _sync(releases)
    _point(releases)
    return final


def _folders(releases: Path) -> list[Path]:
    """The whole releases of a folder: a folder with sums, of no hidden name."""
    return sorted(file.parent for file in releases.glob("[!.]*/SHA256SUMS") if file.parent.name != LATEST)


def index(releases: Path) -> list[dict[str, Any]]:
    """What index.json says of every release, oldest first."""
    try:
        entries: list[dict[str, Any]] = json.loads((releases / "index.json").read_text(encoding="utf-8"))[
            "releases"
        ]
    except FileNotFoundError:
        return []
    return entries


def latest(releases: Path) -> Path | None:
    """The newest whole release."""
    known = [releases / entry["version"] for entry in index(releases)]
    return next((folder for folder in reversed(known) if (folder / "SHA256SUMS").exists()), None)


def _point(releases: Path) -> None:
    """Bring index.json and the link `latest` up to what is there."""
    known = {entry["version"]: entry for entry in index(releases)}
    folders = {folder.name: folder for folder in _folders(releases)}
    new = sorted(
        (entry(folder) for name, folder in folders.items() if name not in known),
        key=lambda entry: (entry["date"], entry["version"]),
    )
    entries = [entry for name, entry in known.items() if name in folders] + new
    text = index_text(entries)
    if (
        not (releases / "index.json").exists()
        or (releases / "index.json").read_text(encoding="utf-8") != text
    ):
        partial = releases / ".index.json.partial"
        partial.write_text(text, encoding="utf-8")
        _sync(partial)
        partial.replace(releases / "index.json")
    link = releases / LATEST
    if link.is_dir() and not link.is_symlink():
        _remove_copy(link, entries)
    point_latest(releases, entries[-1]["version"])


def point_latest(releases: Path, version: str) -> None:
    """Let the link `latest` lead to a version, in one rename."""
    link = releases / LATEST
    if not link.is_symlink() or link.readlink() != Path(version):
        partial = releases / ".latest.partial"
        partial.unlink(missing_ok=True)
        partial.symlink_to(version)
        partial.replace(link)
    _sync(releases)


def index_text(entries: list[dict[str, Any]]) -> str:
    """index.json: all releases, oldest first, and the newest.

    `path` is the folder of a version as an address has it: a bare `+` is a space to some stores, such as S3.
    """
    listed = [known | {"path": quote(known["version"])} for known in entries]
    newest = {"latest": listed[-1]["version"], "latest_path": listed[-1]["path"]}
    return json.dumps(newest | {"releases": listed}, indent=1) + "\n"


def _remove_copy(link: Path, entries: list[dict[str, Any]]) -> None:
    """Remove what a program that follows links made of `latest`: a copy of a release that is here as well.

    Raises:
        BrokenReleaseError: it is no such copy.
    """
    sums = link / "SHA256SUMS"
    if not sums.exists() or _sha256(sums) not in {entry["sha256"] for entry in entries}:
        raise BrokenReleaseError(
            f"{link}: a folder, where a link is expected, and no copy of a release. Move it away."
        )
    shutil.rmtree(link)


def entry(folder: Path) -> dict[str, Any]:
    """What the index says of one release: sha256 is that of its SHA256SUMS, which covers all other files."""
    sums = folder / "SHA256SUMS"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return {
        "version": folder.name,
        "date": f"{datetime.fromtimestamp(sums.stat().st_mtime, UTC):%Y-%m-%d}",
        "schema_version": manifest["schema_version"],
        "sha256": _sha256(sums),
        "size_bytes": sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
    }


def _write_tables(connection: duckdb.DuckDBPyConnection, directory: Path, name: str) -> None:
    """The files that carry the version, and that releases are compared by."""
    (directory / "parquet").mkdir(exist_ok=True)
    for table in catalog.public_tables():
        _write_parquet(connection, table, directory / "parquet" / f"{table.stem}.parquet", name)
    about = {
        "version": name,
        **_manifest(connection),
        "reading_sha256": reading_sha256(),
        "lineage": lineage(connection),
    }
    manifest = json.dumps(about, indent=2, ensure_ascii=False) + "\n"
    (directory / "manifest.json").write_text(manifest, encoding="utf-8")


def _write_files(connection: duckdb.DuckDBPyConnection, directory: Path, store: Path) -> None:
    """All but the tables as Parquet, which are there already; the checksums come last."""
    (directory / "csv").mkdir()
    for table in catalog.public_tables():
        _write_csv(connection, table, directory / "csv" / f"{table.stem}.csv")
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    _write_database(connection, directory / DATABASE, manifest["version"])
    _write_dictionary(directory / "data_dictionary.csv")
    (directory / "checks.html").write_text(report.render(connection), encoding="utf-8")
    data = {file.relative_to(directory).as_posix(): file for file in _files(directory)}
    sha256 = {name: _sha256(file) for name, file in data.items()}
    sizes = {name: file.stat().st_size for name, file in data.items()}
    for name, text in metadata.files(manifest, sha256, sizes).items():
        (directory / name).write_text(text, encoding="utf-8")
    snapshots.pack(directory / "manifest.json", store, directory / INPUTS)
    sums = [f"{_sha256(file)}  {file.relative_to(directory).as_posix()}\n" for file in _files(directory)]
    (directory / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


def lineage(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """What each public table is made by and of, so that two releases tell which of it differs.

    For each: the checksum of all queries behind it, and the sources that they read, by source_id.
    """
    pages: dict[str, list[str]] = {}
    for source in catalog.sources().values():
        pages.setdefault(source.table, []).append(source.page)
    shared = (catalog.ROOT / "sql" / "macros.sql").read_text(encoding="utf-8")
    made: dict[str, Any] = {}
    for table in catalog.public_tables():
        text = shared + "".join(models.queries()[name] for name in models.method_of(table.name))
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


def reading_sha256() -> str:
    """Checksum of the code that reads sources and facts before any query does."""
    folder = catalog.ROOT / "pipelines"
    files = sorted([*folder.glob("sources/*.py"), *(folder / f"{name}.py" for name in READERS)])
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _select(table: catalog.Table) -> str:
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    order = ", ".join(f'"{column}"' for column in table.key)
    return f'select {columns} from out."{table.stem}" order by {order}'


def _write_csv(connection: duckdb.DuckDBPyConnection, table: catalog.Table, path: Path) -> None:
    """Write a CSV that a spreadsheet shows and does not execute (macro spreadsheet_safe)."""
    cells = ", ".join(
        f'spreadsheet_safe("{c.name}") as "{c.name}"' if c.type == "varchar" else f'"{c.name}"'
        for c in table.columns
    )
    rows = f"select {cells} from ({_select(table)})"
    connection.execute(f"copy ({rows}) to {_quoted(path)} (format csv, header)")


def _write_parquet(
    connection: duckdb.DuckDBPyConnection, table: catalog.Table, path: Path, name: str
) -> None:
    """Write with pyarrow, the one writer that keeps the description and unit of each column."""
    rows = connection.sql(_select(table)).to_arrow_table().combine_chunks()
    fields = [
        field.with_metadata({"description": column.description, "unit": column.unit})
        for field, column in zip(rows.schema, table.columns, strict=True)
    ]
    dataset = catalog.document()["dataset"]
    about = {
        "title": f"{dataset['title']}: {table.stem}",
        "description": table.description,
        "version": name,
        "license": dataset["license"],
        "key": ", ".join(table.key),
    }
    described = rows.cast(pa.schema(fields)).replace_schema_metadata(about)
    pq.write_table(described, path, compression="zstd", row_group_size=ROW_GROUP_ROWS)


def _write_database(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Write the public tables with comments to a file of schema main, and a view `release` that names it."""
    connection.execute(f"attach {_quoted(path)} as published (storage_version '{STORAGE_VERSION}')")
    try:
        for table in catalog.public_tables():
            target = f'published.main."{table.stem}"'
            connection.execute(f"create table {target} as {_select(table)}")
            connection.execute(f"comment on table {target} is {_quoted(table.description)}")
            for column in table.columns:
                connection.execute(f'comment on column {target}."{column.name}" is {_quoted(column.comment)}')
        title = catalog.document()["dataset"]["title"]
        about = f"select {_quoted(name)} as version, {_quoted(title)} as title"
        connection.execute(f"create view published.main.release as {about}")
        for what, says in (
            ("view published.main.release", "The release that this database belongs to."),
            (
                "column published.main.release.version",
                "Version: SemVer of the tables, + checksum of content.",
            ),
            ("column published.main.release.title", "Name of the dataset."),
        ):
            connection.execute(f"comment on {what} is {_quoted(says)}")
        connection.execute("checkpoint published")
    finally:
        connection.execute("detach published")


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


def _manifest(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """What the release is and what went in; nothing in it depends on when or where it was built."""
    dataset = catalog.document()["dataset"]
    sources = connection.execute(
        "select source_id, title, url, license, sha256, rows, quarantined_rows, status from out.sources "
        "where status <> 'cited' order by source_id"
    ).fetchall()
    files = connection.execute(
        "select source, file, url, sha256, size_bytes, http_status, cast(retrieved_at as varchar), license "
        "from out.source_files order by source, file"
    ).fetchall()
    passed, total = connection.execute(
        "select count(*) filter (where success), count(*) from state.results"
    ).fetchall()[0]
    counts = dict(connection.execute("select name, row_count from state.tables").fetchall())
    return {
        "name": dataset["name"],
        "title": dataset["title"],
        "schema_version": dataset["version"],
        "license": dataset["license"],
        "method": dataset["method"],
        "checks": {"passed": passed, "total": total},
        "tables": {table.stem: counts[table.name] for table in catalog.public_tables()},
        "sources": [dict(zip(SOURCE_FACTS, row, strict=True)) for row in sources],
        "source_files": [dict(zip(FILE_FACTS, row, strict=True)) for row in files],
    }


def verify(directory: Path) -> None:
    """Compare every file of a release with its SHA256SUMS.

    Raises:
        BrokenReleaseError: names the files that are missing, strange or changed.
    """
    sums = checksums(directory)
    present = {file.relative_to(directory).as_posix(): file for file in _files(directory)}
    wrong = [f"{name} is missing" for name in sums if name not in present]
    wrong += [f"{name} is not of the release" for name in present if name not in sums]
    wrong += [f"{name} changed" for name in sums if name in present and _sha256(present[name]) != sums[name]]
    if wrong:
        raise BrokenReleaseError(
            f"{directory}: {'; '.join(sorted(wrong))}. Move the folder away and build again."
        )


def publish_database(release: Path, path: Path) -> bool:
    """Put the release's database where people query it, in one rename; whether anything changed.

    It is read-only: a writer that outlives the rename would leave its log beside the new file.
    """
    wanted = checksums(release)[DATABASE]
    if path.exists() and _sha256(path) == wanted:
        return False
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    shutil.copyfile(release / DATABASE, partial)
    partial.chmod(0o444)
    _sync(partial)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)
    partial.replace(path)
    _sync(path.parent)
    return True


def is_published(release: Path, path: Path) -> bool:
    """Whether the release is whole on disk, and its database the published one."""
    if not (release / "SHA256SUMS").exists() or not path.exists():
        return False
    verify(release)
    return _sha256(path) == checksums(release)[DATABASE]


def _files(directory: Path) -> Iterator[Path]:
    return (f for f in sorted(directory.rglob("*")) if f.is_file() and f.name != "SHA256SUMS")


def checksums(directory: Path) -> dict[str, str]:
    """What SHA256SUMS says of each file of a release.

    Raises:
        BrokenReleaseError: there is no such file.
    """
    try:
        lines = (directory / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise BrokenReleaseError(
            f"{directory}: SHA256SUMS is missing. Move the folder away and build again."
        ) from None
    return {name: checksum for checksum, name in (line.split("  ", 1) for line in lines)}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Make a file or the entries of a folder durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _quoted(text: object) -> str:
    """A SQL string literal."""
    return "'" + str(text).replace("'", "''") + "'"
