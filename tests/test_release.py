"""A release is complete, described, reproducible, whole, and readable by old clients."""

import csv
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from ote import catalog
from ote.releases import release, release_files
from tests.conftest import Build, execute, fill, releases

STEMS = [table.stem for table in catalog.public_tables()]
LARGEST_DATABASE, LARGEST_RELEASE = 8_200_000, 18_000_000  # bytes; the draws of the totals come on top
IN_DATABASE = [table.stem for table in catalog.public_tables() if not table.parquet_only]


def test_every_public_table_is_there_in_every_form_with_equal_rows(build: Build) -> None:
    manifest = json.loads((build.release / "manifest.json").read_text())
    assert list(manifest["tables"]) == STEMS
    for table in catalog.public_tables():
        names = [column.name for column in table.columns]
        parquet = pq.read_table(build.release / "parquet" / f"{table.stem}.parquet")
        assert parquet.column_names == names
        assert parquet.num_rows == manifest["tables"][table.stem]
        if table.csv_file:
            file = build.release / table.csv_file
            opened = gzip.open if file.suffix == ".gz" else open
            with opened(file, "rt", newline="", encoding="utf-8") as text:
                header, *rows = csv.reader(text)
            assert (header, len(rows)) == (names, parquet.num_rows)
        if not table.parquet_only:
            assert build.query(f"select count(*) from {table.stem}") == [(parquet.num_rows,)]


def test_parquet_columns_carry_description_and_unit(build: Build) -> None:
    schema = pq.read_schema(build.release / "parquet" / "emissions.parquet")
    assert schema.field("energy_mwh").metadata[b"unit"] == b"megawatt_hour"
    assert schema.metadata[b"license"] == b"CC-BY-4.0"
    assert schema.metadata[b"version"].decode() == build.release.name


def test_parquet_is_compressed_with_zstd_and_sorted_by_its_key(build: Build) -> None:
    for table in catalog.public_tables():
        file = pq.ParquetFile(build.release / "parquet" / f"{table.stem}.parquet")
        assert file.schema_arrow.metadata[b"key"].decode() == ", ".join(table.key)
        groups = [file.metadata.row_group(group) for group in range(file.metadata.num_row_groups)]
        columns = [group.column(column) for group in groups for column in range(group.num_columns)]
        assert {column.compression for column in columns} <= {"ZSTD"}
        rows = pl.from_arrow(file.read(list(table.key)))
        assert isinstance(rows, pl.DataFrame)
        assert rows.equals(rows.sort(table.key, nulls_last=True))


def test_the_dictionary_and_the_columns_agree_both_ways(build: Build) -> None:
    with (build.release / "data_dictionary.csv").open(newline="", encoding="utf-8") as file:
        described = {(row["table"], row["column"]) for row in csv.DictReader(file)}
    published = {
        (stem, column)
        for stem in STEMS
        for column in pq.read_schema(build.release / "parquet" / f"{stem}.parquet").names
    }
    assert described == published


def test_the_manifest_names_every_source_file_with_its_checksum(build: Build) -> None:
    manifest = json.loads((build.release / "manifest.json").read_text())
    assert manifest["version"] == build.release.name
    sums = {source["url"]: source["sha256"] for source in manifest["sources"]}
    for path in sorted((catalog.ROOT / "warehouse" / "reference").glob("*.csv")):
        assert sums[f"warehouse/reference/{path.name}"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert manifest["checks"]["passed"] == manifest["checks"]["total"] > 500


def test_the_sums_cover_every_file_and_name_a_changed_one(build: Build, copy: Path) -> None:
    release.verify(build.release)
    folder = copy / "releases" / build.release.name
    victim = folder / "csv" / "emissions.csv"
    content = bytearray(victim.read_bytes())
    content[1000] ^= 1
    victim.write_bytes(content)
    (folder / "strange.txt").touch()
    (folder / "csv" / "method.csv").unlink()
    with pytest.raises(release.BrokenReleaseError) as broken:
        release.verify(folder)
    for words in (
        "csv/emissions.csv changed",
        "strange.txt is not part of the release",
        "csv/method.csv is missing",
    ):
        assert words in str(broken.value)


def test_a_damaged_release_is_not_written_over(build: Build, copy: Path) -> None:
    victim = copy / "releases" / build.release.name / "csv" / "emissions.csv"
    victim.write_text("damaged")
    result = execute(copy, ["release.dataset"])
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_key == "release__dataset"
    assert victim.read_text() == "damaged"


def test_two_machines_build_the_same_bytes_and_rows(elsewhere: Path, build: Build) -> None:
    """Another checkout, folder, time zone, locale and number of threads, and no network."""
    (other,) = releases(elsewhere)
    assert other.name == build.release.name
    for path in sorted(build.release.rglob("*")):
        if path.is_file() and path.suffix not in (".duckdb", "") and path.name != "SHA256SUMS":
            assert path.read_bytes() == (other / path.relative_to(build.release)).read_bytes(), path.name
    with duckdb.connect() as connection:
        connection.execute(f"attach '{build.directory / 'emissions.duckdb'}' as here (read_only)")
        connection.execute(f"attach '{elsewhere / 'emissions.duckdb'}' as there (read_only)")
        for stem in IN_DATABASE:
            for one, two in (("here", "there"), ("there", "here")):
                apart = f'select count(*) from (from {one}."{stem}" except all from {two}."{stem}")'
                assert connection.execute(apart).fetchall() == [(0,)], stem


CHECKSUMS = """
import duckdb, hashlib, json, sys
con = duckdb.connect(sys.argv[1], read_only=True)
con.execute("set enable_progress_bar = false")  # drawn into what is printed, where a query takes seconds
sums = {"version": duckdb.__version__}
tables = "select schema_name || '.' || table_name from duckdb_tables() union select 'main.what_if' order by 1"
for (table,) in con.execute(tables).fetchall():
    cursor = con.execute(f'select * from {table} order by all')
    names = [d[0] for d in cursor.description]
    rows = cursor.fetchall()
    for i, name in enumerate(names):
        content = repr([row[i] for row in rows]).encode()
        sums[f"{table}.{name}"] = hashlib.sha256(content).hexdigest()
print(json.dumps(sums))
"""


def column_sums(database: Path, client: Path | None) -> dict[str, str]:
    """A checksum of every column as a client reads it, in a process of its own."""
    environment = dict(os.environ)
    if client is not None:
        environment["PYTHONPATH"] = str(client)
    done = subprocess.run(
        [sys.executable, "-c", CHECKSUMS, str(database)],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    sums: dict[str, str] = json.loads(done.stdout)
    return sums


def test_an_old_client_reads_every_column_alike(build: Build) -> None:
    client = Path(sys.prefix) / "apart"
    assert client.exists(), "run `make test`, which installs the old client"
    database = build.directory / "emissions.duckdb"
    new, old = column_sums(database, None), column_sums(database, client)
    assert new.pop("version") == "2.0.0"
    assert old.pop("version").startswith("1.")
    assert old == new
    assert len(new) > 200


def test_a_release_is_small(build: Build) -> None:
    """The database had 8.5 MB while every table was stored in the order of its key."""
    sizes = {f.relative_to(build.release).as_posix(): f.stat().st_size for f in build.release.rglob("*")}
    assert sizes[release_files.DATABASE] < LARGEST_DATABASE
    assert sum(sizes.values()) - sizes["parquet/emission_draws.parquet"] < LARGEST_RELEASE


def test_tables_that_are_stored_in_another_order_gain_by_it(build: Build, tmp_path: Path) -> None:
    """The same rows by the key make a larger file."""
    with duckdb.connect() as connection:
        connection.execute("set zstd_min_string_length = 1")
        connection.execute(f"attach '{build.directory / 'emissions.duckdb'}' as built (read_only)")
        sizes = []
        for first in (release_files.STORED_BY, {}):
            file = tmp_path / f"{len(first)}.duckdb"
            version, block = release_files.STORAGE_VERSION, release_files.BLOCK_BYTES
            connection.execute(f"attach '{file}' as stored (storage_version '{version}', block_size {block})")
            for name in release_files.STORED_BY:
                table = catalog.tables()[name]
                order = ", ".join((*first.get(name, ()), *table.key))
                rows = f"from built.{table.published_as} order by {order}"
                connection.execute(f"create table stored.{table.stem} as {rows}")
            connection.execute("checkpoint stored")
            connection.execute("detach stored")
            sizes.append(file.stat().st_size)
    assert sizes[0] < 0.75 * sizes[1], sizes


def test_a_reader_sees_one_state_before_during_and_after_a_publication(build: Build, copy: Path) -> None:
    path = copy / "emissions.duckdb"
    reader = duckdb.connect(str(path), read_only=True)
    question = "select count(*), sum(energy_mwh order by run_id) from emissions"
    before = reader.execute(question).fetchall()
    path.with_name("other").write_bytes(b"not the release's bytes")
    path.with_name("other").replace(path)
    assert release.publish_database(copy / "releases" / build.release.name, path)
    assert reader.execute(question).fetchall() == before
    reader.close()
    with duckdb.connect(str(path), read_only=True) as fresh:
        assert fresh.execute(question).fetchall() == before


def test_publishing_what_is_published_changes_no_byte(build: Build, copy: Path) -> None:
    path = copy / "emissions.duckdb"
    os.utime(path, ns=(1, 1))
    assert not release.publish_database(copy / "releases" / build.release.name, path)
    assert path.stat().st_mtime_ns == 1


def test_csv_cells_that_a_spreadsheet_would_execute_are_made_safe_and_come_back(
    database: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    cells = ["=1+1", "+1", "-x", "@sum", "\tx", "'quoted", "plain", "a=b"]
    rows = [{"upstream_name": cell, "run_id": "x", "identity_rule": "new"} for cell in cells]
    fill(database, "support.model_aliases", rows)
    path = tmp_path / "model_aliases.csv"
    release_files.write_csv(database, catalog.tables()["support.model_aliases"], path)
    with path.open(newline="", encoding="utf-8") as file:
        written = [row["upstream_name"] for row in csv.DictReader(file)]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in written)
    assert sorted(cell.removeprefix("'") for cell in written) == sorted(cells)


def test_a_copy_that_followed_the_link_to_the_latest_is_made_a_link_again(build: Build, copy: Path) -> None:
    link = copy / "releases" / "latest"
    if link.is_symlink():
        link.unlink()
        shutil.copytree(copy / "releases" / build.release.name, link)
    assert execute(copy, ["release.dataset"]).success
    assert link.is_symlink()
    link.unlink()
    (link / "mine").mkdir(parents=True)
    assert not execute(copy, ["release.dataset"]).success
    assert (link / "mine").exists()
