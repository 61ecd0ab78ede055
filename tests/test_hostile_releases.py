"""`ote verify`, `diff`, `get`, `publish` on releases that were made to do harm: all is data, and refused."""

import hashlib
import json
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from ote import documents
from ote.cli import app
from ote.releases import reading, release_files, verification
from tests.conftest import ote, resum

DEEP = "[" * 100_000
DICTIONARY = "data_dictionary.csv"


def run(*arguments: object) -> Result:
    """A command in this process; whatever it meets, it ends in sentences."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    for line in done.stderr.splitlines():
        assert line.isprintable(), line
        assert len(line) < 3000
    return done


def refused(done: Result, *words: str) -> None:
    """One line, exit code 2."""
    assert done.exit_code == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr


@pytest.fixture
def folder(small: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small, tmp_path / "releases" / small.name))


def edit(folder: Path, change: Callable[[dict[str, Any]], object], name: str = "manifest.json") -> None:
    """Change a JSON document of a release; the sums hold again."""
    document = json.loads((folder / name).read_text(encoding="utf-8"))
    change(document)
    (folder / name).write_text(json.dumps(document), encoding="utf-8")
    resum(folder)


def edit_dictionary(folder: Path, table: str, column: str, /, **cells: str) -> None:
    """Change cells of one row of the dictionary; the sums hold again."""
    import csv

    file = folder / DICTIONARY
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    (row,) = [row for row in rows if (row["table"], row["column"]) == (table, column)]
    row.update(cells)
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, release_files.DICTIONARY, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    resum(folder)


@pytest.mark.parametrize("cell", ["min", "max"])
@pytest.mark.parametrize(
    "text",
    [
        "0) from published.main.accuracy; copy (select 1) to '{out}'; select count(*) filter (where (1=0)",
        "(select count(*) from read_text('/etc/hostname'))",
        "nan",
        "inf",
        "-Infinity",
        "1e999",
        "0x10",
        "1_000",
        "1;",
        " 1",
        "\u0661",
        "{0}",
        "1" * 400,
        "--1",
    ],
)
def test_a_bound_that_is_no_number_is_refused_and_not_run(
    folder: Path, tmp_path: Path, cell: str, text: str
) -> None:
    out = tmp_path / "written"
    edit_dictionary(folder, "emissions", "pue", **{cell: text.replace("{out}", str(out))})
    refused(run("verify", folder), DICTIONARY, f"{cell}: ", "expected a number")
    assert not out.exists()
    assert len(verification.findings(folder)) == 1


@pytest.mark.parametrize(
    "name",
    [
        "x\" from t; copy (select 1) to '/tmp/x'; --",
        "a'b",
        "a\nb",
        "A",
        "",
        "x" * 1000,
        "{0.__class__}",
        "../x",
    ],
)
def test_a_name_in_the_dictionary_that_is_none_is_refused(folder: Path, name: str) -> None:
    for cell in ("column", "table"):
        shutil.copy(folder / DICTIONARY, folder.parent / "kept")
        edit_dictionary(folder, "method", "gsd", **{cell: name})
        refused(run("verify", folder), DICTIONARY, "lower-case letters")
        shutil.copy(folder.parent / "kept", folder / DICTIONARY)


def test_values_of_the_dictionary_are_compared_and_not_run(folder: Path) -> None:
    edit_dictionary(folder, "emissions", "energy_basis", values="computed') or (1=1 {} {0}")
    (finding,) = verification.findings(folder)
    assert "energy_basis has a value that is not allowed" in finding


@pytest.mark.parametrize("cell", ["key", "required"])
def test_a_flag_of_the_dictionary_that_is_neither_yes_nor_no_is_refused(folder: Path, cell: str) -> None:
    edit_dictionary(folder, "method", "gsd", **{cell: "1"})
    refused(run("verify", folder), DICTIONARY, "expected yes or no")


@pytest.mark.parametrize(
    "content", ["", "a,b\n", "table\n", '"', "\0", b"\xff\xfe", "x" * (1 << 25)], ids=range(7)
)
def test_a_dictionary_of_another_form_is_refused(folder: Path, content: str | bytes) -> None:
    (folder / DICTIONARY).write_bytes(content.encode() if isinstance(content, str) else content)
    resum(folder)
    refused(run("verify", folder), DICTIONARY)


@pytest.mark.parametrize(
    "name", ["manifest.json", "datapackage.json", "croissant.json", "dataset.jsonld", "record.json"]
)
def test_json_of_another_form_is_refused_by_name(folder: Path, name: str) -> None:
    for content in (
        DEEP,
        '{"a":' * 100_000,
        "[]",
        "null",
        "1",
        '"x"',
        "{",
        "",
        '{"a": NaN}',
        '{"a": 1, "a": 2}',
        "\xff",
    ):
        (folder / name).write_bytes(content.encode("latin-1"))
        resum(folder)
        refused(run("verify", folder), name)


@pytest.mark.parametrize("key", [key for key in reading.MANIFEST if not key.endswith("?")])
def test_a_wrong_type_in_the_manifest_is_refused_by_its_key(folder: Path, key: str) -> None:
    kept = (folder / "manifest.json").read_bytes()
    values: tuple[object, ...] = (
        [],
        {},
        1,
        True,
        "\x1b[2Jx",
        [[]],
        {"x": []},
        [{"source_id": 1}],
        {"emissions": "1"},
        {"emissions": True},
    )
    for value in values:
        document = json.loads(kept) | {key: value}
        (folder / "manifest.json").write_text(json.dumps(document), encoding="utf-8")
        resum(folder)
        if documents.mismatch(document, reading.MANIFEST) or key == "version":
            refused(run("verify", folder), "manifest.json")
            assert run("publish", folder.parent.parent / "to", "--version", folder).exit_code == 2
        else:
            assert run("verify", folder).exit_code in (0, 1)
    edit(folder, lambda document: document.pop(key, None))
    refused(run("verify", folder), f"{key} is missing") if key in json.loads(kept) else None
    assert not (folder.parent.parent / "to").exists()


@pytest.mark.parametrize(
    "table", ["../../../../etc/passwd", "x\"; copy (select 1) to '/tmp/x'; --", "a\nb", "", "release"]
)
def test_a_table_that_only_the_manifest_names_is_named_and_not_read(folder: Path, table: str) -> None:
    edit(folder, lambda manifest: manifest["tables"].update({table: 1}))
    done = run("verify", folder)
    assert done.exit_code == 1
    assert "is not in parquet/, but in manifest.json" in done.stderr


@pytest.mark.parametrize(
    "resource",
    [
        {"path": "../../x", "hash": "sha256:0", "bytes": 1},
        {"path": "/etc/passwd", "hash": "sha256:0", "bytes": 1},
        {"path": "csv/method.csv", "hash": "sha256:0", "bytes": "1"},
        {"path": ["csv/method.csv"], "hash": "sha256:0", "bytes": 1},
        "csv/method.csv",
    ],
)
def test_a_resource_of_the_data_package_that_cannot_be_is_refused(folder: Path, resource: object) -> None:
    edit(folder, lambda package: package.update(resources=[resource]), "datapackage.json")
    refused(run("verify", folder), "datapackage.json", "resources[0]")


def test_a_data_package_that_describes_other_bytes_is_named(folder: Path) -> None:
    edit(folder, lambda package: package["resources"][0].update(hash="sha256:0"), "datapackage.json")
    (finding,) = verification.findings(folder)
    assert "datapackage.json: the hash of csv/accuracy.csv differs" in finding


SUM = "0" * 64


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "\n",
        "x\n",
        f"{SUM}  LICENSE",
        f"{SUM} LICENSE\n",
        f"{SUM}  LICENSE\r\n",
        f"{SUM[1:]}  LICENSE\n",
        f"{SUM.replace('0', 'A')}  LICENSE\n",
        f"{SUM}  ../x\n",
        f"{SUM}  /etc/passwd\n",
        f"{SUM}  a/../../x\n",
        f"{SUM}  ..%2fx\n",
        f"{SUM}  C:\\x\n",
        f"{SUM}  C:/x\n",
        f"{SUM}  a\\b\n",
        f"{SUM}  a\0b\n",
        f"{SUM}  .x\n",
        f"{SUM}  SHA256SUMS\n",
        f"{SUM}  sha256sums\n",
        f"{SUM}  LICENSE\n{SUM}  LICENSE\n",
        f"{SUM}  a\n{SUM}  A\n",
        f"{SUM}  NUL\n",
        f"{SUM}  a.\n",
        f"{SUM}  {'a' * 5000}\n",
        f"{SUM}  *LICENSE\n",
        f"{SUM}  \u202ea\n",
        f"{SUM}  LICENSE\n\n",
        "\ufeff" + f"{SUM}  LICENSE\n",
        "x" * (2 << 20),
    ],
    ids=range(29),
)
def test_sums_of_another_form_are_refused_by_every_command(folder: Path, tmp_path: Path, lines: str) -> None:
    content = lines.encode()
    (folder / "SHA256SUMS").write_bytes(content)
    refused(run("verify", folder), "SHA256SUMS")
    refused(run("diff", folder, folder), "SHA256SUMS")
    refused(run("publish", tmp_path / "to", "--version", folder), "SHA256SUMS")
    index(tmp_path / "releases", folder.name, sha256=hashlib.sha256(content).hexdigest())
    done = run("get", "--from", tmp_path / "releases", "--into", tmp_path / "got")
    assert done.exit_code == (1 if len(content) > reading.SUMS_BYTES else 2)
    assert "SHA256SUMS" in done.stderr
    assert not list((tmp_path / "got").iterdir())
    assert not (tmp_path / "to").exists()


def link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def plug(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(path.parent)  # the path of a socket is short
        server.bind(path.name)
        os.chdir(here)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (link, "a link"),
        (os.mkfifo, "a FIFO"),
        (plug, "a socket"),
        (Path.mkdir, "an empty folder"),
        (Path.touch, "not part of the"),
    ],
)
@pytest.mark.parametrize(
    "name", ["strange", "csv/strange.csv", "csv/SHA256SUMS", ".hidden", "open-x.duckdb.wal"]
)
def test_what_is_no_file_of_the_release_is_named(
    folder: Path, make: Callable[[Path], object], words: str, name: str
) -> None:
    make(folder / name)
    done = run("verify", folder)
    assert done.exit_code == 1
    assert f"{name} is {words}" in done.stderr


@pytest.mark.parametrize(
    "name", ["LICENSE", "manifest.json", "csv", "parquet/emissions.parquet", release_files.DATABASE]
)
def test_a_link_to_equal_bytes_is_no_file_of_the_release(folder: Path, name: str) -> None:
    elsewhere = folder.parent.parent / "elsewhere"
    (folder / name).rename(elsewhere)
    (folder / name).symlink_to(elsewhere)
    done = run("verify", folder)
    assert done.exit_code == 1
    assert f"{name} is a link" in done.stderr


def test_the_link_to_the_latest_may_be_given(folder: Path) -> None:
    (folder.parent / "latest").symlink_to(folder.name)
    assert run("verify", folder.parent / "latest").exit_code == 0


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (
            "drop table method; create view method as select * from read_text('/etc/hostname')",
            "view method",
        ),
        ("create or replace view places as from read_text('/etc/hostname')", "view places"),
        ("create or replace view what_if as from read_text('/etc/hostname')", "view what_if"),
        ("create view spy as select * from read_csv('/etc/passwd')", "view spy"),
        ("create macro abs(x) as 0", "macro abs"),
        ("create macro spy() as table select * from read_text('/etc/hostname')", "macro spy"),
        ("create schema other; create table other.accuracy (x int)", "schema other"),
    ],
)
def test_a_database_with_more_than_tables_is_named_and_runs_nothing(
    folder: Path, sql: str, words: str
) -> None:
    with duckdb.connect(str(folder / release_files.DATABASE)) as connection:
        connection.execute(sql)
    resum(folder)
    done = run("verify", folder)
    assert done.exit_code == 1
    assert f"{words} is not of a release" in done.stderr
    assert socket.gethostname() not in done.stderr


def test_a_database_of_another_kind_is_named(folder: Path) -> None:
    for content in (b"", b"SQLite format 3\0" + bytes(4096), bytes(10_000)):
        (folder / release_files.DATABASE).write_bytes(content)
        resum(folder)
        done = run("verify", folder)
        assert done.exit_code == 1
        assert release_files.DATABASE in done.stderr


@pytest.mark.parametrize(
    "key", ["", "x", "run_id\" = 1) or true; copy (select 1) to '{out}'; --", "run_id, \x1b[2J"]
)
def test_a_key_in_the_metadata_of_a_table_is_compared_and_not_run(
    folder: Path, tmp_path: Path, key: str
) -> None:
    out = tmp_path / "written"
    file = folder / "parquet" / "emissions.parquet"
    table = pq.read_table(file)
    pq.write_table(table.replace_schema_metadata({"key": key.replace("{out}", str(out))}), file)
    resum(folder)
    refused(run("diff", folder, folder), "emissions.parquet", "key")
    assert not out.exists()


def test_columns_of_any_name_are_compared(folder: Path, small: Path) -> None:
    odd = ['a"b', "a'b", "a\nb", "'}; select 1; --", "is_old"]
    file = folder / "parquet" / "accuracy.parquet"
    table = pq.read_table(file)
    for name in odd:
        table = table.append_column(name, table.column(0))
    pq.write_table(table, file)
    resum(folder)
    done = run("diff", small, folder)
    assert done.exit_code in (0, 2)
    assert run("diff", folder, folder).exit_code in (0, 2)
    assert run("verify", folder).exit_code == 1


@pytest.mark.parametrize("make", [link, os.mkfifo])
def test_a_manifest_that_is_no_file_is_not_read(folder: Path, make: Callable[[Path], object]) -> None:
    (folder / "SHA256SUMS").unlink()
    (folder / "manifest.json").unlink()
    make(folder / "manifest.json")
    assert run("diff", folder, folder).exit_code == 2


# What is published, and got.


def index(published: Path, version: str, **entry: object) -> None:
    """The index of one release as one who sends evil would write it."""
    published.mkdir(parents=True, exist_ok=True)
    about = {"version": version, "date": "2026-01-31", "sha256": SUM} | entry
    (published / "index.json").write_text(json.dumps({"releases": [about]}))


def publish(published: Path, files: dict[str, bytes], **entry: object) -> None:
    """A release of some files."""
    folder = published / "1.0.0"
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    resum(folder)
    index(
        published,
        "1.0.0",
        **({"sha256": hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()} | entry),
    )


ENTRY: dict[str, object] = {"version": "1.0.0", "date": "2026-01-31", "sha256": SUM}


WRONG_VERSIONS: list[object] = ["latest", "", "..", "../x", "a/b", "1.0.0\0", 1, None, ["1.0.0"]]
WRONG_ENTRIES: list[dict[str, object]] = [
    *({"version": version} for version in WRONG_VERSIONS),
    {"version": "1.0.0+" + "a" * 10_000},
    {"date": "yesterday"},
    {"date": 1},
    {"sha256": ""},
    {"sha256": "x"},
    {"sha256": None},
    {"size_bytes": "1"},
    {"size_bytes": -1},
    {"size_bytes": 1e300},
    {"size_bytes": True},
]


@pytest.mark.parametrize(
    "content",
    [
        DEEP,
        "[]",
        "null",
        "1",
        '{"releases": {}}',
        '{"releases": null}',
        '{"releases": [1]}',
        '{"releases": [[]]}',
        "{",
        *(json.dumps({"releases": [ENTRY | wrong]}) for wrong in WRONG_ENTRIES),
    ],
    ids=range(28),
)
def test_an_index_of_another_form_is_refused(folder: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "index.json").write_text(content)
    refused(run("get", "--from", tmp_path / "from", "--into", tmp_path / "got"), "index.json")
    refused(run("publish", tmp_path / "from", "--version", folder), "index.json")
    assert not (tmp_path / "got").exists()
    assert [file.name for file in (tmp_path / "from").iterdir()] == ["index.json"]


def test_a_huge_index_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "index.json").open("wb") as file:
        file.truncate(1 << 36)
    refused(run("get", "--from", tmp_path, "--into", tmp_path / "got"), "more than 16,777,216 bytes")


def test_an_index_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "index.json")
    assert run("get", "--from", tmp_path, "--into", tmp_path / "got").exit_code == 1


@pytest.mark.parametrize("version", ["..", "../../x", "/etc", "", "1.0.0/..", "x\x1b[2J", "9" * 10_000])
def test_a_version_that_is_asked_for_is_one_of_the_index(tmp_path: Path, version: str) -> None:
    publish(tmp_path / "from", {"LICENSE": b"x"})
    done = run("get", "--from", tmp_path / "from", "--into", tmp_path / "got", "--", version)
    assert done.exit_code == 1
    assert "is not published. There are: 1.0.0." in done.stderr
    assert not (tmp_path / "got").exists()


def test_a_release_is_as_large_as_the_index_says(tmp_path: Path) -> None:
    publish(tmp_path / "from", {"a": bytes(1000), "b": bytes(1000)}, size_bytes=2300)
    assert run("get", "--from", tmp_path / "from", "--into", tmp_path / "got").exit_code == 0
    for size in (2000, 500, 10, 0):
        publish(tmp_path / "from", {"a": bytes(1000), "b": bytes(1000)}, size_bytes=size)
        done = run("get", "--from", tmp_path / "from", "--into", tmp_path / f"got{size}")
        assert done.exit_code == 1
        assert "more than the " in done.stderr
        assert not list((tmp_path / f"got{size}").iterdir())
    publish(tmp_path / "from", {"a": b"x"}, size_bytes=1 << 50)
    assert (
        "at most 4,294,967,296 are taken"
        in run("get", "--from", tmp_path / "from", "--into", tmp_path / "x").stderr
    )


class Endless(ThreadingHTTPServer):
    """A server that never stops sending, whatever it is asked for, but for the files that are known."""

    daemon_threads = True
    known: dict[str, bytes]


class WithoutEnd(BaseHTTPRequestHandler):
    """What it answers."""

    server: Endless

    def do_GET(self) -> None:
        """Send what is known by that name; else zeros without end."""
        name = self.path.rpartition("/")[2]
        known = self.server.known
        self.send_response(206 if self.headers.get("Range") else 200)
        self.end_headers()
        try:
            if name in known:
                self.wfile.write(known[name])
            else:
                while True:
                    self.wfile.write(bytes(1 << 16))
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def endless() -> Iterator[Endless]:
    server = Endless(("127.0.0.1", 0), WithoutEnd)
    server.known = {}
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_server_that_never_stops_is_cut_off(tmp_path: Path, endless: Endless) -> None:
    address = f"http://127.0.0.1:{endless.server_port}"
    refused(run("get", "--from", address, "--into", tmp_path / "a"), "index.json", "more than")
    sums = f"{SUM}  LICENSE\n".encode()
    entry = ENTRY | {"sha256": hashlib.sha256(sums).hexdigest(), "size_bytes": 3 << 20}
    endless.known["index.json"] = json.dumps({"releases": [entry]}).encode()
    for known in ({}, {"SHA256SUMS": sums}):
        endless.known |= known
        done = run("get", "--from", address, "--into", tmp_path / "b")
        assert done.exit_code == 1
        assert "more than the " in done.stderr
        assert not list((tmp_path / "b").iterdir())
    begun = tmp_path / "b" / ".1.0.0.download"
    begun.mkdir()
    (begun / "LICENSE").write_bytes(b"begun")
    assert "more than the " in run("get", "--from", address, "--into", tmp_path / "b").stderr


@pytest.mark.parametrize("planted", ["LICENSE", "SHA256SUMS", "csv", ""])
def test_a_link_that_is_planted_in_a_download_is_not_followed(tmp_path: Path, planted: str) -> None:
    publish(tmp_path / "from", {"LICENSE": b"x", "csv/a.csv": b"y"})
    victim = tmp_path / "victim"
    if planted in ("csv", ""):
        victim.mkdir()
    else:
        victim.write_bytes(b"mine")
    partial = tmp_path / "got" / ".1.0.0.download"
    (partial if planted else partial.parent).mkdir(parents=True)
    (partial / planted if planted else partial).symlink_to(victim)
    done = run("get", "--from", tmp_path / "from", "--into", tmp_path / "got")
    assert done.exit_code == 1
    assert "link" in done.stderr
    assert victim.read_bytes() == b"mine" if victim.is_file() else not list(victim.iterdir())


def test_a_second_name_of_a_file_elsewhere_is_not_written_to(tmp_path: Path) -> None:
    publish(tmp_path / "from", {"LICENSE": b"x"})
    (victim := tmp_path / "victim").write_bytes(b"mine")
    partial = tmp_path / "got" / ".1.0.0.download"
    partial.mkdir(parents=True)
    (partial / "LICENSE").hardlink_to(victim)
    assert run("get", "--from", tmp_path / "from", "--into", tmp_path / "got").exit_code == 0
    assert victim.read_bytes() == b"mine"
    assert (tmp_path / "got" / "1.0.0" / "LICENSE").read_bytes() == b"x"


def test_a_pipe_in_a_download_or_a_store_is_not_waited_for(tmp_path: Path) -> None:
    publish(tmp_path / "from", {"LICENSE": b"x"})
    partial = tmp_path / "got" / ".1.0.0.download"
    partial.mkdir(parents=True)
    os.mkfifo(partial / "LICENSE")
    assert run("get", "--from", tmp_path / "from", "--into", tmp_path / "got").exit_code == 1
    (tmp_path / "from" / "1.0.0" / "LICENSE").unlink()
    os.mkfifo(tmp_path / "from" / "1.0.0" / "LICENSE")
    assert run("get", "--from", tmp_path / "from", "--into", tmp_path / "again").exit_code == 1


def test_a_file_that_is_planted_in_a_download_does_not_become_part_of_the_release(tmp_path: Path) -> None:
    publish(tmp_path / "from", {"LICENSE": b"x"})
    partial = tmp_path / "got" / ".1.0.0.download"
    partial.mkdir(parents=True)
    (partial / "run.sh").write_text("evil")
    done = run("get", "--from", tmp_path / "from", "--into", tmp_path / "got")
    assert done.exit_code == 1
    assert "run.sh is not part of the release" in done.stderr
    assert run("get", "--from", tmp_path / "from", "--into", tmp_path / "got").exit_code == 0
    assert not list((tmp_path / "got").rglob("run.sh"))


def test_another_release_of_that_version_is_not_taken_for_the_published_one(tmp_path: Path) -> None:
    publish(tmp_path / "from", {"LICENSE": b"x"})
    publish(tmp_path / "got", {"LICENSE": b"planted"})
    (tmp_path / "got" / "index.json").unlink()
    done = run("get", "--from", tmp_path / "from", "--into", tmp_path / "got")
    assert done.exit_code == 1
    assert "is not what is published under that version" in done.stderr
    assert "Move the folder away" in done.stderr


@pytest.mark.parametrize(
    "planted", ["{version}", "{version}/csv", "{version}/LICENSE", "{version}/.LICENSE.partial"]
)
def test_a_link_that_is_planted_where_a_release_is_published_is_not_followed(
    folder: Path, tmp_path: Path, planted: str
) -> None:
    path = tmp_path / "to" / planted.format(version=folder.name)
    path.parent.mkdir(parents=True)
    (victim := tmp_path / "victim").mkdir() if "." not in path.name[
        -8:
    ] and "LICENSE" not in path.name else None
    victim = tmp_path / "victim"
    if not victim.exists():
        victim.write_bytes(b"mine")
    path.symlink_to(victim)
    done = run("publish", tmp_path / "to", "--version", folder, "--no-pages")
    assert victim.read_bytes() == b"mine" if victim.is_file() else not list(victim.iterdir())
    assert done.exit_code in (0, 1)
    assert done.exit_code == 1 or run("verify", tmp_path / "to" / folder.name).exit_code == 0


@pytest.mark.parametrize(
    "name", ["a%25b", "a?b", "a#b", "a::b", "a b", "*", "[x]", "ü", "-x", "a'b", "a\nb", "~"]
)
def test_a_folder_of_any_name_can_be_published_to_and_got_from(
    folder: Path, tmp_path: Path, name: str
) -> None:
    assert run("publish", tmp_path / name, "--version", folder, "--no-pages").exit_code == 0
    done = run("get", "--from", tmp_path / name, "--into", tmp_path / f"{name}2")
    assert done.exit_code == 0, done.stderr
    got = tmp_path / f"{name}2" / folder.name
    assert run("verify", got).exit_code == 0
    assert run("diff", got, tmp_path / name / folder.name).exit_code == 0


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("manifest.json", lambda stated: stated | {"uncommitted": ["a.sql", "\x1b[2J\x1b]0;owned\x07"]}),
        ("manifest.json", lambda stated: stated | {"commit": "\x9b31m"}),
        ("manifest.json", lambda stated: stated | {"title": "right \u202e left"}),
        ("manifest.json", lambda stated: stated | {"sources": [stated["sources"][0] | {"title": "a\rb"}]}),
        ("manifest.json", lambda stated: stated | {"lib\x1braries": {}}),
        ("datapackage.json", lambda stated: stated | {"title": "\x1b[31mred"}),
        ("dataset.jsonld", lambda stated: stated | {"creator": [{"name": "\x00"}]}),
    ],
)
def test_text_that_moves_a_terminal_fails(
    folder: Path, file: str, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    path = folder / file
    path.write_text(json.dumps(change(json.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")
    resum(folder)
    done = ote("verify", folder)
    assert done.returncode == 1
    assert f"{file}: " in done.stderr
    assert "which is not printed" in done.stderr
    assert all(character.isprintable() or character == "\n" for character in done.stderr)


def test_a_file_with_a_second_name_fails(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").hardlink_to(folder / "LICENSE")
    done = ote("verify", folder)
    assert done.returncode == 1
    assert "LICENSE is a hard link: it has a second name elsewhere" in done.stderr
