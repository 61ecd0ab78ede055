"""`dagster dev` as a newcomer meets it: what it shows, starts, keeps and leaves, by the API of its pages.

A run of all assets costs a build, so these tests start a few through the pages. That all of them are what
`ote build` makes follows from the definitions; what `ote build` makes is tested elsewhere.
"""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner

from ote import catalog, history, models
from ote.cli import app
from ote.definitions import defs
from ote.ingestion.reference import reference_assets
from ote.ingestion.upstream import key_of
from ote.update.job import NotUpdatedError, Upstream
from ote.warehouse import Warehouse, writable

ROOT = catalog.ROOT
# What a clone holds that `dagster dev` reads.
TRACKED = (
    ".env", "catalog.yaml", "CITATION.cff", "dagster.yaml", "LICENSE", "pipelines", "pyproject.toml",
    "requirements.txt", "sql", "warehouse/baseline", "warehouse/reference",
)  # fmt: skip
GROUPS = {"upstream", "reference", "core", "support", "out", "release", "site"}
TABLE = "out.hardware"
LAUNCH = """mutation($run: ExecutionParams!) { launchPipelineExecution(executionParams: $run) {
    ... on LaunchRunSuccess { run { runId } } ... on RunConfigValidationInvalid { errors { message } }
    ... on InvalidSubsetError { message } ... on PythonError { message } } }"""
SHOWN = """{ assetNodes { assetKey { path } isMaterializable isExecutable groupName description
    metadataEntries { label } } repositoriesOrError { ... on RepositoryConnection { nodes {
    jobs { name description } schedules { name } sensors { name } } } } }"""
MADE = """query($key: AssetKeyInput!) { assetOrError(assetKey: $key) { ... on Asset {
    assetMaterializations { metadataEntries { label ... on IntMetadataEntry { intValue } } }
    assetObservations { metadataEntries { label ... on MarkdownMetadataEntry { mdStr } } } } } }"""


def checksums(folder: Path) -> dict[str, str]:
    """Every tracked file of a copy, without what Python compiles."""
    files = [file for name in TRACKED for file in [folder / name, *(folder / name).rglob("*")]]
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.is_file() and "__pycache__" not in file.parts
    }


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
    return port


def wait(seconds: int, what: str, done: Callable[[], Any]) -> Any:
    """The first true answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := done():
            return answer
        time.sleep(0.5)
    raise TimeoutError(f"{what}: not within {seconds} s")


def members(session: int) -> list[str]:
    """The processes of a session that have not ended."""
    listed = subprocess.run(["ps", "-eo", "sid=,stat=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
    return [args for sid, status, args in rows if sid == str(session) and not status.startswith("Z")]


@dataclass(frozen=True)
class Dev:
    """A running `dagster dev` in a folder that holds what a clone holds."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def log(self) -> str:
        """What it printed."""
        return self.folder.with_name("dev.log").read_text(encoding="utf-8")

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer of its API."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            answer: dict[str, Any] = json.load(response)
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    def is_up(self) -> bool:
        """Whether its pages list the assets."""
        assert self.process.poll() is None, self.log
        try:
            return bool(self.ask(SHOWN)["assetNodes"])
        except OSError:
            return False

    def launch(self, job: str, config: dict[str, Any], assets: list[str] | None = None) -> dict[str, Any]:
        """Start a run as the pages do: of a job, or of some of its assets."""
        selector = {
            "repositoryLocationName": "open-training-emissions",
            "repositoryName": "__repository__",
            "pipelineName": job,
            "assetSelection": [{"path": name.split(".")} for name in assets] if assets else None,
        }
        run = {"selector": selector, "mode": "default", "runConfigData": config}
        launched: dict[str, Any] = self.ask(LAUNCH, run=run)["launchPipelineExecution"]
        return launched

    def status(self, launched: dict[str, Any]) -> str:
        """How a run ended."""
        query = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"

        def ended() -> str:
            found = str(self.ask(query, id=launched["run"]["runId"])["runOrError"]["status"])
            return found if found in ("SUCCESS", "FAILURE", "CANCELED") else ""

        assert "run" in launched, launched
        return str(wait(300, "the run", ended))

    def events(self, *path: str) -> dict[str, Any]:
        """What was said of an asset, the last first."""
        found: dict[str, Any] = self.ask(MADE, key={"path": path})["assetOrError"]
        return found


def ignore_interrupts() -> None:
    """As a shell without job control starts what ends with `&`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """`dagster dev` in a new folder of an odd name, without any setting of whoever runs the tests."""
    folder = tmp_path_factory.mktemp("dev") / "a%25b c'd ü"
    for name in TRACKED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, folder / name)
    settings = {
        name: value for name, value in os.environ.items() if not name.startswith(("OTE_", "DAGSTER_"))
    }
    port = free_port()
    with folder.with_name("dev.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster", "dev", "--port", str(port)],
            cwd=folder,
            env=settings | {"PYTHONPATH": str(folder / "pipelines")},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=ignore_interrupts,
        )
    running = Dev(folder, port, process)
    try:
        wait(120, "dagster dev", running.is_up)
        yield running
    finally:
        if members(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="module")
def shown(dev: Dev) -> dict[str, Any]:
    return dev.ask(SHOWN)


def test_few_groups_in_the_order_of_the_data_and_nothing_runs_unasked(shown: dict[str, Any]) -> None:
    assert {asset["groupName"] for asset in shown["assetNodes"]} == GROUPS
    assert all(asset["description"] for asset in shown["assetNodes"])
    (repository,) = shown["repositoriesOrError"]["nodes"]
    jobs = {job["name"]: job["description"] for job in repository["jobs"] if not job["name"].startswith("__")}
    assert jobs.keys() == {"build", "update"}
    assert all(jobs.values())
    assert (repository["schedules"], repository["sensors"]) == ([], [])


def test_the_accepted_rows_show_their_origin_and_cannot_be_made(dev: Dev, shown: dict[str, Any]) -> None:
    sources = [asset for asset in shown["assetNodes"] if asset["assetKey"]["path"][0] == "upstream"]
    assert {asset["assetKey"]["path"][1] for asset in sources} == set(catalog.sources())
    for asset in sources:
        labels = {entry["label"] for entry in asset["metadataEntries"]}
        assert {"publisher", "license", "page", "retrieved", "last accepted change"} <= labels
        assert (asset["isMaterializable"], asset["isExecutable"]) == (False, False)
    launched = dev.launch("__ASSET_JOB", {}, ["upstream.owid_electricity"])
    assert "run" not in launched, launched


def test_assets_are_made_as_the_pages_ask_and_history_is_where_it_says(dev: Dev) -> None:
    before = checksums(dev.folder)
    wanted = sorted({*models.raw_sources(TABLE), *models.method_of(TABLE)})
    assert dev.status(dev.launch("__ASSET_JOB", {}, wanted)) == "SUCCESS", dev.log
    (made, *_) = dev.events(*TABLE.split("."))["assetMaterializations"]
    numbers = {entry["label"]: entry.get("intValue") for entry in made["metadataEntries"]}
    assert numbers["dagster/row_count"] > 100
    assert (dev.folder / "warehouse" / "build.duckdb").is_file()
    assert (dev.folder / "warehouse" / "dagster" / "history" / "runs.db").is_file()
    assert "will be removed" not in dev.log
    assert checksums(dev.folder) == before
    added = {path.name for path in dev.folder.iterdir()} - {Path(name).parts[0] for name in TRACKED}
    assert not added
    assert {path.name for path in dev.folder.parent.iterdir()} == {dev.folder.name, "dev.log"}


def test_an_update_is_started_with_settings_and_shows_what_came_of_it(dev: Dev) -> None:
    before = checksums(dev.folder)
    nowhere = f"http://127.0.0.1:{free_port()}"
    config = {"sources": "epoch_hardware", "mirror": nowhere, "accept": ""}
    launched = dev.launch("update", {"resources": {"upstream": {"config": config}}})
    assert dev.status(launched) == "SUCCESS", dev.log
    (seen,) = dev.events("upstream", "epoch_hardware")["assetObservations"]
    stated = {entry["label"]: entry.get("mdStr") for entry in seen["metadataEntries"]}
    assert stated["comparison"].startswith("epoch_hardware: kept as accepted; ")
    assert not dev.events("upstream", "owid_electricity")["assetObservations"]
    assert checksums(dev.folder) == before


def test_zz_it_ends_by_a_signal_with_all_its_processes(dev: Dev) -> None:
    assert len(members(dev.process.pid)) >= 4
    dev.process.send_signal(signal.SIGTERM)
    assert dev.process.wait(90) == 0, dev.log
    wait(60, f"the end of {members(dev.process.pid)}", lambda: not members(dev.process.pid))


def test_all_that_can_be_made_is_what_ote_build_makes() -> None:
    made = {
        key for assets in defs.assets or [] if isinstance(assets, dg.AssetsDefinition) for key in assets.keys
    }
    job = defs.resolve_job_def("build")
    assert job.asset_layer.selected_asset_keys == made
    assert made.isdisjoint({key_of(source) for source in catalog.sources().values()})
    assert len(made) == len(catalog.tables()) + 3


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"sources": "epoch_models owid"}, "owid: not a source. Sources: epoch_models, "),
        ({"mirror": "ftp://example.org"}, "--mirror 'ftp://example.org': expected an address"),
        ({"retrieved": "2026-11-01"}, "--retrieved: goes with --mirror"),
        ({"retrieved": "20261101", "mirror": "http://127.0.0.1"}, "expected a day as YYYY-MM-DD"),
        ({"retrieved": "2199-01-01", "mirror": "http://127.0.0.1"}, "expected a day that has come"),
    ],
)
def test_an_update_refuses_settings_that_name_nothing(
    settings: dict[str, Any], says: str, tmp_path: Path
) -> None:
    places: dict[str, Any] = {name: str(tmp_path / name) for name in ("baseline", "reference", "warehouse")}
    with pytest.raises(NotUpdatedError, match=says.replace(".", r"\.")):
        Upstream(**places, **settings).require_sound()


@pytest.mark.parametrize(
    "name",
    ["a%25b", "a%41b", "%", "a#b", "a b", "a'b", 'a"b', "aüb", "a;b&c=d", "a[b]*", "~a"],
)
def test_a_warehouse_may_have_any_name(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    resource = Warehouse(
        directory=str(folder),
        reference=str(ROOT / "warehouse" / "reference"),
        baseline=str(ROOT / "warehouse" / "baseline"),
    )
    with history.instance(writable(folder / "dagster")) as instance:
        result = dg.materialize(
            reference_assets,
            selection=[dg.AssetKey(["raw", "publishers"])],
            instance=instance,
            resources={"warehouse": resource},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        assert instance.get_run_by_id(result.run_id)
    assert result.success
    assert (folder / "build.duckdb").is_file()
    assert (folder / "dagster" / "history" / "runs" / f"{result.run_id}.db").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a?b", "a\\b"])
def test_a_folder_that_duckdb_would_misread_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["build", "--warehouse", str(tmp_path / name / "c")])
    assert done.exit_code == 2
    says = f"{tmp_path}/{name}/c: DuckDB cannot write in a folder with {name[1]} in its name."
    assert done.stderr == f"{says} Choose another folder with --warehouse.\n"
    places = {"reference": str(ROOT / "warehouse" / "reference"), "baseline": str(tmp_path)}
    resource = Warehouse(directory=str(tmp_path / name / "c"), **places)
    with (
        pytest.raises(ValueError, match="with OTE_WAREHOUSE"),
        resource.yield_for_execution(dg.build_init_resource_context()),
    ):
        pass
    assert not [*tmp_path.iterdir()]
