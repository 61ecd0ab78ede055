"""Shared fixtures: an empty working database, models over inline rows, and builds that all workers read.

A whole build takes longest, so each scenario is built once a session: `build` (the tracked inputs),
`elsewhere` (the same inputs on what looks like another machine), `edited` (all harmless edits at once).
"""

import csv
import fcntl
import gc
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from ote import catalog, checkout, models
from ote.cli import app
from ote.definitions import defs
from ote.releases import metadata, record, release_files, verification
from ote.site import building
from ote.warehouse import Warehouse, connect

# Of whoever runs the tests; pytest's readline hands the width of its terminal on to its workers.
for setting in [name for name in os.environ if name.startswith("OTE_") or name in ("COLUMNS", "LINES")]:
    del os.environ[setting]
REFERENCE = catalog.ROOT / "warehouse" / "reference"
BASELINE = catalog.ROOT / "warehouse" / "baseline"
UPSTREAM = catalog.ROOT.parent / "shared" / "upstream"
needs_upstream = pytest.mark.skipif(not UPSTREAM.is_dir(), reason="the real upstream files are not here")
# The code of the checkout in which a command runs, before that which is installed.
CODE = "import pathlib, sys; sys.path.insert(0, str(pathlib.Path('pipelines').resolve())); "
OTE = [sys.executable, "-c", CODE + "from ote.cli import run; run()"]
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
PARTS = (dg.AssetsDefinition, dg.AssetSpec)
AUTHOR = ("-c", "user.name=A", "-c", "user.email=a@example.org")
HERE = {"127.0.0.1", "localhost", "::1", "", None}
Rows = dict[str, list[dict[str, Any]]]
Model = Callable[[str, Rows], pl.DataFrame]


class LiveServerError(Exception):
    """A test asks a live server; no OSError, so that no code takes it for a network that is down."""


def _guard(host: Any) -> None:
    if host not in HERE and not str(host).endswith(".invalid"):
        raise LiveServerError(f"a test asks {host}; serve what it needs from 127.0.0.1")


def _only_this_machine() -> None:
    """Refuse each connection and each look-up of a name that leads away from this machine."""
    connect_to, look_up = socket.socket.connect, socket.getaddrinfo

    def connect(self: socket.socket, address: Any, /) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _guard(address[0])
        connect_to(self, address)

    def getaddrinfo(host: Any, *more: Any, **options: Any) -> Any:
        _guard(host.decode() if isinstance(host, bytes) else host)
        return look_up(host, *more, **options)

    forever = pytest.MonkeyPatch()
    forever.setattr(socket.socket, "connect", connect)
    forever.setattr(socket, "getaddrinfo", getaddrinfo)


_only_this_machine()


def _commit_all() -> "tempfile.TemporaryDirectory[str]":
    """Commit the checkout as it is now to a repository of the tests, so that their builds are releases.

    They stay releases while someone edits the checkout. The workers inherit the setting.
    """
    folder = tempfile.TemporaryDirectory(prefix="ote-tests-")
    os.environ["GIT_DIR"] = f"{folder.name}/.git"
    environment = os.environ | {"GIT_WORK_TREE": str(catalog.ROOT)}

    def run(*words: str, given: bytes = b"") -> bytes:
        command = ["git", "-C", str(catalog.ROOT), *words]
        return subprocess.run(command, input=given, capture_output=True, env=environment, check=True).stdout

    run("init", "--quiet")
    run("add", "--all")
    run(*AUTHOR, "commit", "--quiet", "--message", "now")
    run("update-index", "--assume-unchanged", "-z", "--stdin", given=run("ls-files", "-z"))
    return folder


if "PYTEST_XDIST_WORKER" not in os.environ:
    REPOSITORY = _commit_all()  # until the session ends


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give one of two workers the tests of `build`, the other `elsewhere` and the tests without a build.

    Each worker begins with one half, and takes over from the end of the other's: the tests of `edited`.
    """

    def rank(item: pytest.Item) -> int:
        used = set(getattr(item, "fixturenames", ()))
        return 1 if "edited" in used else 0 if used & {"build", "copy"} else 2

    first = [item for item in items if "elsewhere" in getattr(item, "fixturenames", ())]
    others = sorted((item for item in items if item not in first), key=rank)
    half = len(items) // 2
    items[:] = others[:half] + first + others[half:]


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty working database in memory."""
    with connect() as connection:
        yield connection


def fill(connection: duckdb.DuckDBPyConnection, name: str, rows: list[dict[str, Any]]) -> None:
    """Create a table as catalog.yaml types it, with rows that name only the columns they are about."""
    columns = catalog.tables()[name].columns
    typed = ", ".join(f'"{column.name}" {column.type}' for column in columns)
    connection.execute(f"create or replace table {name} ({typed})")
    for row in rows:
        names = ", ".join(f'"{column}"' for column in row)
        marks = ", ".join("?" for _ in row)
        connection.execute(f"insert into {name} ({names}) values ({marks})", list(row.values()))


def is_part(name: str) -> bool:
    """Whether a table is a part of the next one: what a basis is fitted on, or candidates of all factors."""
    return name.endswith("_fits") or name in (
        "core.factor_candidates",
        "core.location_candidates",
        "core.location_grids",
    )


def by(organisations: str | None) -> dict[str, Any]:
    """The columns of a run of these organisations, separated by ';'."""
    return {
        "organisation": organisations and organisations.split(";")[0],
        "organisations": organisations,
    }


@pytest.fixture
def model(database: duckdb.DuckDBPyConnection) -> Model:
    """Run one SQL file over inline rows; tables that are not given are empty, and parts of it are made."""

    def run(name: str, rows: Rows) -> pl.DataFrame:
        query = models.queries()[name]
        upstream = models.upstream_tables(query)
        made = {part: run(part, rows).to_dicts() for part in upstream if is_part(part) and part not in rows}
        for table in upstream:
            fill(database, table, (rows | made).get(table, []))
        frame: pl.DataFrame = database.sql(query).pl()
        return frame

    return run


def ote(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end, in this process: one that imports Dagster anew costs four seconds."""
    words, environment = [*map(str, arguments)], dict(os.environ)
    try:
        done = CliRunner().invoke(app, words)
    finally:
        os.environ.clear()
        os.environ.update(environment)
        gc.enable()  # a build turns it off
    crashed = done.exception is not None and not isinstance(done.exception, SystemExit)
    trace = "".join(traceback.format_exception(done.exception)) if crashed else ""
    return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr + trace)


def process(*arguments: str | Path, **how: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end in a process, where the test is about processes."""
    command = [*how.pop("before", ()), *OTE, *map(str, arguments)]
    given: dict[str, Any] = {"cwd": catalog.ROOT, "capture_output": True, "text": True, "check": False}
    given["env"] = dict(os.environ)  # not what readline has put into that of C: the width of a terminal
    return subprocess.run(command, **(given | how))


def outlasts(running: "subprocess.Popen[Any]", seconds: float) -> bool:
    """Whether a process still runs after some seconds; if not, this is said when it ends."""
    try:
        running.wait(seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


def without_privilege() -> list[str]:
    """What to put before a command so that the permissions of files hold for it, also for root."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        pytest.skip("run as root without setpriv: no folder is read-only")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def without_network() -> list[str]:
    """What to put before a command so that it has no network at all; nothing where this is not allowed."""
    command = ["unshare", "--net", "--map-root-user"]
    if shutil.which("unshare") and not subprocess.run([*command, "true"], capture_output=True).returncode:
        return command
    return []


def releases(folder: Path) -> list[Path]:
    """The versions below a folder that was built in; neither the index nor the link to the latest."""
    sums = (folder / "releases").glob("[!.]*/SHA256SUMS")
    return sorted(file.parent for file in sums if file.parent.name != "latest")


def resum(folder: Path) -> None:
    """Make the checksums those of the files, as one who forges a release would."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != "SHA256SUMS")
    sums = [
        f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.relative_to(folder).as_posix()}\n" for f in files
    ]
    (folder / "SHA256SUMS").write_text("".join(sums))


def published(directory: Path) -> dict[str, str]:
    """Checksum of the published database and of every file of every release."""
    files = [directory / "emissions.duckdb", *(directory / "releases").rglob("*")]
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file()
    }


@dataclass(frozen=True)
class Build:
    """A folder that was built in, which every worker reads and none writes, and what Dagster said of it."""

    directory: Path
    events: Sequence[dg.DagsterEvent]
    said: str

    def stated(self, kind: str) -> list[Any]:
        """What the events of one kind say, such as ASSET_MATERIALIZATION."""
        return [event.event_specific_data for event in self.events if event.event_type_value == kind]

    @property
    def release(self) -> Path:
        """The one release of the folder."""
        (release,) = releases(self.directory)
        return release

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the published database."""
        with duckdb.connect(str(self.directory / "emissions.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()


def warehouse(directory: Path, reference: Path = REFERENCE, baseline: Path = BASELINE) -> Warehouse:
    """The resource for a folder of its own."""
    return Warehouse(directory=str(directory), reference=str(reference), baseline=str(baseline))


def execute(
    directory: Path, assets: list[str], reference: Path = REFERENCE, *, checked: bool = False
) -> dg.ExecuteInProcessResult:
    """Materialize some assets in a folder, with their checks or without."""
    keys = [dg.AssetKey(name.split(".")) for name in assets]
    chosen = dg.AssetSelection.assets(*keys)
    selection = chosen if checked else chosen - dg.AssetSelection.checks_for_assets(*keys)
    with uncollected():
        return dg.materialize(
            [part for part in (*(defs.assets or ()), *(defs.asset_checks or ())) if isinstance(part, PARTS)],
            selection=selection,
            resources={"warehouse": warehouse(directory, reference)},
            run_config=QUIET,
            raise_on_error=False,
        )


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage is collected meanwhile, as in `ote build`."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def once(factory: pytest.TempPathFactory, name: str, fill: Callable[[Path], None]) -> Path:
    """A folder that one worker of the session fills and every worker reads."""
    own = factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            partial = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=folder.parent))
            fill(partial)
            partial.rename(folder)
    return folder


def copied(source: Path, target: Path) -> Path:
    """A copy of a folder that was built in, without the history of its runs.

    Pages are a second name of the same file: they are only ever replaced as a whole folder.
    """
    without = shutil.ignore_patterns("dagster", building.FOLDER)
    shutil.copytree(source, target, symlinks=True, ignore=without)
    shutil.copytree(source / building.FOLDER, target / building.FOLDER, copy_function=os.link)
    return target


def _build(folder: Path) -> None:
    done = ote("build", "--warehouse", folder / "warehouse")
    assert done.returncode == 0, done.stderr
    history = str(folder / "warehouse" / "dagster")
    overrides = {"telemetry": {"enabled": False}, "storage": {"sqlite": {"base_dir": history}}}
    with dg.DagsterInstance.local_temp(history, overrides=overrides) as instance:
        (run,) = instance.get_runs()
        entries = [entry.dagster_event for entry in instance.all_logs(run.run_id)]
    (folder / "events.json").write_text(dg.serialize_value([e for e in entries if e]), encoding="utf-8")
    (folder / "said.txt").write_text(done.stdout + done.stderr, encoding="utf-8")


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Everything, built once from the tracked facts and the accepted rows by `ote build`."""
    folder = once(tmp_path_factory, "everything", _build)
    events = dg.deserialize_value((folder / "events.json").read_text(encoding="utf-8"), list)
    return Build(folder / "warehouse", events, (folder / "said.txt").read_text(encoding="utf-8"))


SMALL = ("accuracy", "datacenter_pue", "emissions", "method")


def _shrink(release: Path, folder: Path) -> None:
    """Write a release with a few tables of another, and the files that describe them."""

    def left_out(directory: str, names: list[str]) -> set[str]:
        inside = Path(directory).name in ("csv", "parquet")
        return {n for n in names if (Path(n).stem not in SMALL if inside else n == release_files.DATABASE)}

    small = Path(shutil.copytree(release, folder / release.name, ignore=left_out))
    manifest = json.loads((small / "manifest.json").read_text(encoding="utf-8"))
    manifest["tables"] = {table: rows for table, rows in manifest["tables"].items() if table in SMALL}
    (small / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    kept = json.loads((small / "record.json").read_text(encoding="utf-8"))
    kept["tables"] = {table: facts for table, facts in kept["tables"].items() if table in SMALL}
    (small / "record.json").write_text(metadata.text_of(kept), encoding="utf-8")
    data = {file.relative_to(small).as_posix(): file for file in small.glob("*/*")}
    sums = {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in data.items()}
    sizes = {name: file.stat().st_size for name, file in data.items()}
    tables = [table for table in catalog.public_tables() if table.stem in SMALL]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog, "public_tables", lambda: tables)
        for name, text in metadata.files(manifest, sums, sizes).items():
            (small / name).write_text(text, encoding="utf-8")
    dictionary = small / "data_dictionary.csv"
    pl.read_csv(dictionary, infer_schema=False).filter(pl.col("table").is_in(SMALL)).write_csv(dictionary)
    with duckdb.connect(str(small / release_files.DATABASE)) as connection:
        connection.execute(f"attach '{release / release_files.DATABASE}' as whole (read_only)")
        for table in SMALL:
            connection.execute(f"create table {table} as from whole.{table}")
        connection.execute(f"create view release as select '{release.name}' as version, '' as title")
    resum(small)
    assert verification.findings(small) == []


@pytest.fixture(scope="session")
def small(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of a few tables, for tests of what is done with any release."""
    folder = once(tmp_path_factory, "small", lambda folder: _shrink(build.release, folder))
    return folder / build.release.name


@pytest.fixture
def copy(build: Build, tmp_path: Path) -> Path:
    """A folder with a finished build of its own to damage."""
    return copied(build.directory, tmp_path / "warehouse")


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    """The curated facts in a folder of their own to edit."""
    return Path(shutil.copytree(REFERENCE, tmp_path / "reference"))


@pytest.fixture
def accepted(tmp_path: Path) -> Path:
    """The accepted rows in a folder of their own to edit."""
    return Path(shutil.copytree(BASELINE, tmp_path / "accepted" / "baseline"))


def checked_out(folder: Path) -> Path:
    """The code and the data of this checkout in another folder, without git."""
    for name in (*checkout.MAKES_RELEASES, "LICENSE"):
        source, target = catalog.ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.exists():
            shutil.copy(source, target)
    (folder / ".gitignore").write_text("__pycache__")
    return folder


def git(root: Path, *arguments: str) -> str:
    """What git prints in a folder, whatever this process takes for its repository."""
    command = ["git", "-C", str(root), *AUTHOR, *arguments]
    return subprocess.run(command, env=with_git(), capture_output=True, text=True, check=True).stdout


def with_git() -> dict[str, str]:
    """The environment in which a folder's own repository is seen."""
    return {name: value for name, value in os.environ.items() if name != "GIT_DIR"}


def commit(root: Path) -> str:
    """Commit all that is in a folder; the commit."""
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "change")
    return git(root, "rev-parse", "HEAD").strip()


def _build_elsewhere(folder: Path) -> None:
    abroad = {"TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONHASHSEED": "7", "POLARS_MAX_THREADS": "2"}
    program = CODE + "from ote import cli, warehouse; warehouse.SETTINGS.update(threads=2); cli.run()"
    clone, command = folder / "another checkout", [*without_network(), sys.executable, "-c", program]
    subprocess.run(["git", "clone", "--quiet", os.environ["GIT_DIR"], clone], env=with_git(), check=True)
    done = subprocess.run(
        [*command, "build", "--warehouse", str(folder / "warehouse")],
        cwd=clone,
        env=with_git() | abroad,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `ote build` wrote without a network, from another checkout, in another time zone and locale."""
    return once(tmp_path_factory, "elsewhere", _build_elsewhere) / "warehouse"


ADDED = {
    "full": {
        "hardware": "NVIDIA A40",
        "chips": "64",
        "training_hours": "100",
        "published_date": "2024-05-01",
    },
    "dated-by-start": {"hardware": "H100 SXM", "chip_hours": "5000", "started_month": "2023-11"},
    "flop-only": {"training_flop": "1e22", "published_date": "2024-05-01", "developer_country": "FR"},
    "flop-and-chip": {"hardware": "Google TPU v4", "training_flop": "1e22", "published_date": "2022-05-01"},
    "nothing": {"published_date": "2024-05-01"},
}


@dataclass(frozen=True)
class Edited:
    """A draft after many edits at once, in a checkout of its own.

    killed: checksums of what was published after each build that was killed on the way. said: both streams.
    """

    root: Path
    warehouse: Path
    killed: list[dict[str, str]]
    said: str

    @property
    def draft(self) -> Path:
        """The one draft."""
        (draft,) = (self.warehouse / "drafts").iterdir()
        return draft

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the published database."""
        with duckdb.connect(str(self.warehouse / "emissions.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()


def replaced(file: Path, *pairs: tuple[str, str]) -> None:
    """Replace the one place of each text in a file."""
    text = file.read_text(encoding="utf-8")
    for old, new in pairs:
        assert text.count(old) == 1, (file, old, text.count(old))
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


def _edit(root: Path, reference: Path, baseline: Path) -> None:
    """All edits: runs added, one renamed, one corrected, a query commented, an accepted row changed."""
    file = reference / "training_runs.csv"
    replaced(file, ("\nt5-11b,T5-11B,", "\nt5-11b,T5 11B,"))
    runs = pl.read_csv(file, infer_schema=False)
    doubled = pl.when(pl.col("run_id") == "colpali").then(pl.lit("80")).otherwise("chip_hours")
    runs.with_columns(chip_hours=doubled).write_csv(file)  # 40 in the facts
    source = {"source_title": "P", "source_url": "https://example.org/p", "verified": "primary"}
    with file.open("a", newline="", encoding="utf-8") as rows:
        for name, cells in ADDED.items():
            row = {"run_id": name, "model": name, "source_locator": name, **source, **cells}
            csv.DictWriter(rows, runs.columns, lineterminator="\n").writerow(row)
    query = root / "sql" / "out" / "paper_claims.sql"
    query.write_text("-- Another comment.\n" + query.read_text(encoding="utf-8"), encoding="utf-8")
    replaced(
        baseline / "google_region_carbon.csv",
        ("africa-south1,Johannesburg,2024,0.15,", "africa-south1,Johannesburg,2024,0.16,"),
    )


def _killed(command: list[str], root: Path, directory: Path, seconds: float) -> dict[str, str]:
    """What is published after a build was killed, some seconds after it took the lock."""
    running = subprocess.Popen(
        command, cwd=root, env=with_git(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while str(running.pid) not in (directory / "build.lock").read_text(encoding="utf-8"):
        assert outlasts(running, 0.1)
    assert outlasts(running, seconds), "it was over before it could be killed"
    running.kill()
    running.wait()
    return published(directory)


@pytest.fixture(scope="session")
def edited(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Edited:
    """A draft built after many edits, killed twice on the way; its last release is that of `build`."""

    def fill(folder: Path) -> None:
        root = checked_out(folder / "checkout")
        record.keep(build.release, root / checkout.RELEASED)
        commit(root)
        directory = copied(build.directory, folder / "warehouse")
        reference = Path(shutil.copytree(REFERENCE, folder / "reference"))
        baseline = Path(shutil.copytree(BASELINE, folder / "baseline"))
        _edit(root, reference, baseline)
        options = ("--warehouse", directory, "--reference", reference, "--baseline", baseline)
        command = [*OTE, "build", *map(str, options)]
        killed = [_killed(command, root, directory, seconds) for seconds in (0.5, 6)]
        done = process("build", *options, cwd=root, env=with_git())
        assert done.returncode == 0, done.stderr
        (folder / "killed.json").write_text(json.dumps(killed), encoding="utf-8")
        (folder / "said.txt").write_text(done.stdout + done.stderr, encoding="utf-8")

    folder = once(tmp_path_factory, "edited", fill)
    killed = json.loads((folder / "killed.json").read_text(encoding="utf-8"))
    said = (folder / "said.txt").read_text(encoding="utf-8")
    return Edited(folder / "checkout", folder / "warehouse", killed, said)
