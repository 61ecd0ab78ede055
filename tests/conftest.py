"""Shared fixtures: an empty working database, models over inline rows, and builds that all workers read."""

import fcntl
import gc
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import polars as pl
import pytest
from pipelines.sources.reference import reference_assets
from typer.testing import CliRunner

from pipelines import catalog, models
from pipelines.cli import app
from pipelines.definitions import defs
from pipelines.ingestion.upstream import Upstream, upstream_assets
from pipelines.releases.publication import publication_assets
from pipelines.warehouse import Warehouse, connect

os.environ["OTE_OFFLINE"] = "1"  # no test asks a live server, also where it starts a process of its own
os.environ["GIT_DIR"] = os.devnull  # a test writes releases also while the checkout is being changed
REFERENCE = catalog.ROOT / "warehouse" / "reference"
UPSTREAM = catalog.ROOT.parent / "shared" / "upstream"
needs_upstream = pytest.mark.skipif(not UPSTREAM.is_dir(), reason="the real upstream files are not here")
OTE = [sys.executable, "-c", "from pipelines.cli import run; run()"]
# These take longest and start first, so that none is left to one worker; every second needs no `build`.
LONGEST = (
    "test_pipeline.py",
    "test_build_of_everything.py",
    "test_release_command.py",
    "test_cli.py",
    "test_checkout.py",
    "test_build_with_sources.py",
    "test_release.py",
    "test_publishing.py",
)
Rows = dict[str, list[dict[str, Any]]]
Model = Callable[[str, Rows], pl.DataFrame]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the longest files; the others keep their order."""
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


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


@pytest.fixture
def model(database: duckdb.DuckDBPyConnection) -> Model:
    """Run one SQL file over inline rows; tables that are not given are empty."""

    def run(name: str, rows: Rows) -> pl.DataFrame:
        query = models.queries()[name]
        for upstream in models.upstream_tables(query):
            fill(database, upstream, rows.get(upstream, []))
        frame: pl.DataFrame = database.sql(query).pl()
        return frame

    return run


def ote(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end; offline, but with a mirror or a manifest among the arguments."""
    offline = "" if {"--mirror", "--locked"} & set(map(str, arguments)) else "1"
    return subprocess.run(
        [*OTE, *map(str, arguments)],
        cwd=catalog.ROOT,
        env=os.environ | {"OTE_OFFLINE": offline},
        capture_output=True,
        text=True,
        check=False,
    )


def answer(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command that only reads the published database, in this process: ten times as fast as `ote`."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(list(arguments), done.exit_code, done.stdout, done.stderr)


def without_privilege() -> list[str]:
    """What to put before a command so that the permissions of files hold for it, also for root."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        pytest.skip("run as root without setpriv: no folder is read-only")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


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


@dataclass(frozen=True)
class Build:
    """A folder that was built in, which every worker reads and none writes, and what Dagster said of it."""

    directory: Path
    events: Sequence[dg.DagsterEvent]

    def told(self, kind: str) -> list[Any]:
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


def warehouse(directory: Path, reference: Path = REFERENCE) -> Warehouse:
    """The resource for a folder of its own."""
    return Warehouse(directory=str(directory), reference=str(reference))


def execute(
    directory: Path, reference: Path = REFERENCE, assets: list[str] | None = None, mirror: str = ""
) -> dg.ExecuteInProcessResult:
    """Run the job `build`, or only some of its assets, in a folder; offline unless there is a mirror."""
    upstream = Upstream(mirror=mirror, offline="" if mirror else "yes")
    resources = {"warehouse": warehouse(directory, reference), "upstream": upstream}
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with uncollected():
        if assets is None:
            return defs.resolve_job_def("build").execute_in_process(
                resources=resources, run_config=quiet, raise_on_error=False
            )
        return dg.materialize(
            [*reference_assets, *upstream_assets, *models.sql_assets(), *publication_assets],
            selection=[dg.AssetKey(name.split(".")) for name in assets],
            resources=resources,
            run_config=quiet,
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


def _build(folder: Path) -> None:
    result = execute(folder / "warehouse")
    assert result.success, [event.message for event in result.all_events if event.is_failure]
    (folder / "events.json").write_text(dg.serialize_value(result.all_events), encoding="utf-8")


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Everything, built once from the curated facts."""
    folder = once(tmp_path_factory, "facts", _build)
    events = dg.deserialize_value((folder / "events.json").read_text(encoding="utf-8"), list)
    return Build(folder / "warehouse", events)


def _build_elsewhere(folder: Path) -> None:
    abroad = {"TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONHASHSEED": "7", "POLARS_MAX_THREADS": "2"}
    program = "from pipelines import cli, warehouse; warehouse.SETTINGS.update(threads=2); cli.run()"
    done = subprocess.run(
        [sys.executable, "-c", program, "build", "--warehouse", str(folder / "warehouse")],
        cwd=catalog.ROOT,
        env=os.environ | abroad,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (folder / "said.txt").write_text(done.stdout, encoding="utf-8")


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `ote build` said and wrote in another time zone and locale, with two threads; only to be read."""
    return once(tmp_path_factory, "elsewhere", _build_elsewhere)


@pytest.fixture
def copy(build: Build, tmp_path: Path) -> Path:
    """A folder with a finished build of its own to damage."""
    return Path(shutil.copytree(build.directory, tmp_path / "warehouse", symlinks=True))


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    """The curated facts in a folder of their own to edit."""
    return Path(shutil.copytree(REFERENCE, tmp_path / "reference"))
