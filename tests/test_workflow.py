"""The workflow that releases: who may do what in it, and its steps of shell against what they speak to."""

import io
import json
import os
import re
import shutil
import subprocess
import threading
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flask
import pytest
import yaml
from werkzeug.serving import make_server

from ote.catalog import ROOT
from tests.conftest import ote
from tests.test_installed import PYTHONS

WORKFLOWS = ROOT / ".github" / "workflows"
WORKFLOW: dict[str, Any] = yaml.safe_load((WORKFLOWS / "release.yml").read_text())
PACKAGE: dict[str, Any] = yaml.safe_load((WORKFLOWS / "package.yml").read_text())
UPDATE: dict[str, Any] = yaml.safe_load((WORKFLOWS / "update.yml").read_text())
STEPS: list[dict[str, Any]] = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]
VERSION = "1.2.0+aabbccdd"


def run(name: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a step does in a folder, by the shell that GitHub takes."""
    (step,) = [step for step in STEPS if step.get("name", "").startswith(name)]
    return subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_actions_are_pinned_to_a_commit_and_may_only_read() -> None:
    others = [*UPDATE["jobs"]["update"]["steps"], *PACKAGE["jobs"]["package"]["steps"]]
    used = [step["uses"] for step in [*STEPS, *others] if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in used)
    assert WORKFLOW["permissions"] == PACKAGE["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in WORKFLOW["jobs"].values())


def test_the_package_is_installed_on_every_python_that_is_supported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    tried = PACKAGE["jobs"]["package"]["strategy"]["matrix"]["python"]
    assert project["requires-python"] == f">={tried[0]}"
    assert tried == list(PYTHONS)


def test_no_secret_is_there_while_what_was_fetched_is_built_and_tested() -> None:
    job = WORKFLOW["jobs"]["release"]
    having = [
        step.get("name", "")
        for step in (WORKFLOW, job, *job["steps"])
        if "secrets." in str(step.get("env", ""))
    ]
    assert [name.split()[0] for name in having] == ["Publish"]


def test_each_command_of_this_project_is_one() -> None:
    steps = [*STEPS, *UPDATE["jobs"]["update"]["steps"]]
    scripts = "\n".join(step.get("run", "") for step in steps)
    asked = set(re.findall(r"\.venv/bin/ote ((?:release )?\w+)", scripts))
    assert asked == {"update", "release get", "release verify", "release publish"}
    for command in asked:
        assert ote(*command.split(), "--help").returncode == 0
    targets = re.findall(r"make (\.?\S+)$", scripts, flags=re.MULTILINE)
    assert set(targets) == {".venv/ready", "dataset", "test"}


@pytest.mark.skipif(not shutil.which("jq"), reason="no jq here; GitHub's runners have it")
def test_a_release_whose_record_was_not_committed_goes_no_further(tmp_path: Path) -> None:
    for folder in ("released", "releases/latest"):
        (tmp_path / "warehouse" / folder).mkdir(parents=True)
        (tmp_path / "warehouse" / folder / "record.json").write_text('{"content": "aa"}')
    assert run("See that the tracked record", tmp_path).returncode == 0
    (tmp_path / "warehouse" / "released" / "record.json").write_text('{"content": "bb"}')
    refused = run("See that the tracked record", tmp_path)
    assert refused.returncode == 1
    assert "is not the record of this release" in refused.stdout


@pytest.mark.skipif(not shutil.which("jq"), reason="no jq here; GitHub's runners have it")
@pytest.mark.parametrize(
    ("tag", "version", "goes_on"),
    [
        ("v1.2.0", "1.2.0", True),
        ("v1.2.0", "1.2.0+aabbccdd", True),
        ("v1.2.1", "1.2.0", False),
        ("1.2.0", "1.2.0", False),
        ("v1.2", "1.2.0", False),
    ],
)
def test_a_tag_that_names_another_version_goes_no_further(
    tmp_path: Path, tag: str, version: str, goes_on: bool
) -> None:
    (tmp_path / "warehouse" / "releases" / "latest").mkdir(parents=True)
    manifest = tmp_path / "warehouse" / "releases" / "latest" / "manifest.json"
    manifest.write_text(json.dumps({"version": version}))
    done = run("See that the tag", tmp_path, GITHUB_REF_NAME=tag)
    assert (done.returncode == 0) == goes_on
    assert goes_on or f"Tag the commit v{version}" in done.stdout


def test_an_update_may_write_only_in_its_own_job_and_shows_a_change_or_asks() -> None:
    assert UPDATE["permissions"] == {"contents": "read"}
    assert UPDATE["jobs"]["update"]["permissions"] == dict.fromkeys(
        ("contents", "pull-requests", "issues"), "write"
    )
    outcomes = {step["if"] for step in UPDATE["jobs"]["update"]["steps"] if "if" in step}
    assert all("steps.update.outputs.outcome" in condition for condition in outcomes)


@contextmanager
def zenodo(stated: list[tuple[str, str, Any]], fails: str = "") -> Iterator[str]:
    """An archive that answers as Zenodo's REST API does, and tells what it was asked with the token."""
    app = flask.Flask(__name__)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    address = f"http://127.0.0.1:{server.server_port}/api"

    @app.before_request
    def heard() -> tuple[str, int] | None:
        request = flask.request
        if request.headers.get("Authorization") != "Bearer token":
            return "who is it", 401
        stated.append((request.method, request.path, request.get_json() if request.is_json else request.data))
        return ("no", 500) if fails and fails in request.path else None

    @app.post("/api/deposit/depositions")
    def make() -> tuple[dict[str, Any], int]:
        links = {
            "bucket": f"{address}/files/b",
            "publish": f"{address}/deposit/depositions/7/actions/publish",
        }
        return {"id": 7, "links": links}, 201

    @app.put("/api/files/b/<name>")
    def upload(name: str) -> tuple[dict[str, str], int]:
        return {"key": name}, 201

    @app.post("/api/deposit/depositions/7/actions/publish")
    def publish() -> tuple[dict[str, str], int]:
        return {"doi": "10.5072/zenodo.7"}, 202

    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"{address}/deposit/depositions"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("fails", ["", "/files/", "/publish"])
def test_the_archive_gets_the_whole_release_and_gives_a_doi(tmp_path: Path, fails: str) -> None:
    if missing := [tool for tool in ("bash", "curl", "jq", "zip") if not shutil.which(tool)]:
        pytest.skip(f"{', '.join(missing)} not here; GitHub's runners have them")
    (tmp_path / "releases" / VERSION / "csv").mkdir(parents=True)
    (tmp_path / "releases" / VERSION / "csv" / "emissions.csv").write_text("run_id\n")
    shutil.copy(ROOT / ".zenodo.json", tmp_path)
    stated: list[tuple[str, str, Any]] = []
    with zenodo(stated, fails) as address:
        done = run(
            "Archive",
            tmp_path,
            VERSION=VERSION,
            ZENODO_TOKEN="token",
            ZENODO_API=address,
            RUNNER_TEMP=str(tmp_path),
            GITHUB_STEP_SUMMARY=str(tmp_path / "summary"),
        )
    assert (done.returncode == 0) == (not fails), done.stderr
    paths = [(method, path) for method, path, _ in stated]
    uploaded = ("PUT", f"/api/files/b/{VERSION}.zip")
    assert paths[:2] == [("POST", "/api/deposit/depositions"), uploaded]
    about = stated[0][2]["metadata"]
    assert (about["version"], about["upload_type"], about["license"]) == (VERSION, "dataset", "cc-by-4.0")
    assert about["creators"] == [{"name": "Open Training Emissions"}]
    with zipfile.ZipFile(io.BytesIO(stated[1][2])) as archive:
        assert f"{VERSION}/csv/emissions.csv" in archive.namelist()
    assert len(paths) == (2 if fails == "/files/" else 3)
    assert (tmp_path / "summary").exists() == (not fails)
    if not fails:
        assert (tmp_path / "summary").read_text() == done.stdout == "10.5072/zenodo.7\n"
