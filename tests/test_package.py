"""The wheel: it needs nothing of the checkout, and to answer none of the libraries that build the dataset.

It is built here from a copy, unpacked, and run from an empty folder by a Python that knows only the libraries
which the package itself requires.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ote import catalog
from tests.conftest import Build

ROOT = catalog.ROOT
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LARGEST_DATABASE_BYTES = 10_000_000
# Refuses what the package does not require, as an environment without it would.
PROGRAM = """
import json, sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

absent = set(json.loads(sys.argv.pop(1)))
sys.meta_path.insert(0, Absent())
from ote.cli import run
run()
"""

# A command in words, and what it prints; runs.csv and log.csv lie in the folder.
QUESTIONS = (
    ("--version", "installed package"),
    ("why gpt-3", "GPT-3"),
    ("find llama 70b", "Llama 2"),
    ("where gshard-600b", "Locations ranked"),
    ("where --hardware H100 --hours 30 --month 2022-07", "best hour of the day"),
    ("explain pue", "Power usage effectiveness"),
    ("explain mlperf_training", "a source"),
    ("estimate --hardware H100 --chips 8 --hours 100", "energy"),
    ("estimate --batch runs.csv --out runs.parquet", "1 run estimated"),
    ("report runs.parquet --as latex", "begin{table}"),
    ("report runs.csv --as bibtex", "@misc"),
    ("import log.csv", "training_hours"),
    ("release verify {release}", "whole"),
    (
        "add --model My-7B --developer Me --published-date 2024-05-01 --hardware H100 --chips 512 "
        "--training-hours 300 --source-title A --source-url https://example.org --source-locator B "
        "--verified primary --dry-run",
        "Nothing was written",
    ),
)


def required(requirements: list[str], extras: frozenset[str] = frozenset({""})) -> set[str]:
    """The distributions that some requirements bring with them, of those that are installed here."""
    found: set[str] = set()
    for wanted in map(Requirement, requirements):
        if wanted.marker and not any(wanted.marker.evaluate({"extra": extra}) for extra in extras):
            continue
        try:
            below = distribution(wanted.name).requires or []
        except PackageNotFoundError:  # of another system or Python
            continue
        found |= {canonicalize_name(wanted.name)} | required(below, frozenset(wanted.extras or {""}))
    return found


def absent() -> list[str]:
    """The modules that are installed here and would not be with the package alone."""
    known = required(PROJECT["project"]["dependencies"])
    return sorted(
        module
        for module, owners in packages_distributions().items()
        if not known & {canonicalize_name(owner) for owner in owners} and module not in ("ote", "pip")
    )


@dataclass(frozen=True)
class Installed:
    """An unpacked wheel, and an empty folder to run it in."""

    wheel: Path
    package: Path
    folder: Path

    def ote(self, *arguments: object, only_required: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of it."""
        lacking = json.dumps(absent() if only_required else [])
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, lacking, *map(str, arguments)],
            cwd=self.folder,
            env={name: cell for name, cell in os.environ.items() if not name.startswith("OTE_")}
            | {"PYTHONPATH": str(self.package)},
            capture_output=True,
            text=True,
            check=False,
        )


def made(build: Build, folder: Path) -> Path:
    """The wheel of this code with the database of a build, made in a folder from a copy."""
    source, wheels = folder / "source", folder / "wheels"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "CITATION.cff", "catalog.yaml"):
        shutil.copy(ROOT / name, source)
    for name in ("pipelines", "sql", "warehouse/reference", "warehouse/baseline", "warehouse/released"):
        shutil.copytree(
            ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
    for name in ("emissions.duckdb", "catalog.json"):
        shutil.copy(build.directory / name, source / "warehouse")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--no-index", "--wheel-dir", wheels, source], check=True)
    (wheel,) = wheels.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, unpacked."""
    wheel, unpacked = made(build, tmp_path_factory.mktemp("made")), tmp_path_factory.mktemp("unpacked")
    zipfile.ZipFile(wheel).extractall(unpacked)
    return Installed(wheel, unpacked, tmp_path_factory.mktemp("empty"))


def prepare(folder: Path) -> None:
    """Put what the questions read into a folder."""
    (folder / "runs.csv").write_text("hardware,chips,training_hours\nH100,8,100\n", encoding="utf-8")
    shutil.copy(ROOT / "tests" / "logs" / "codecarbon_3.3.2.csv", folder / "log.csv")


def test_the_wheel_holds_all_that_the_checkout_has(installed: Installed) -> None:
    for place, there in ((ROOT / "pipelines" / "ote", "ote"), (ROOT / "sql", "ote/data/sql")):
        for file in place.rglob("*"):
            if file.is_file() and file.suffix != ".pyc" and file.suffix != ".csv":
                held = installed.package / there / file.relative_to(place)
                assert held.read_bytes() == file.read_bytes(), file
    database = installed.package / "ote" / "data" / "warehouse" / "emissions.duckdb"
    assert database.stat().st_size < LARGEST_DATABASE_BYTES


def test_it_has_the_version_of_the_dataset() -> None:
    assert PROJECT["project"]["version"] == catalog.dataset().version


def test_the_lock_has_all_that_is_required() -> None:
    """With its extras; the locks are written by the commands of CONTRIBUTING.md. PySpark has its own."""
    files = (ROOT / "requirements.txt", ROOT / "tests" / "apart" / "spark.txt")
    locked = "\n".join(file.read_text(encoding="utf-8") for file in files)
    names = {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", locked, re.M)}
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = [text for texts in (PROJECT["project"]["dependencies"], *extras.values()) for text in texts]
    assert {canonicalize_name(Requirement(text).name) for text in wanted} <= names
    named = set(re.findall(r"--extra (\w+)", (ROOT / "CONTRIBUTING.md").read_text()))
    assert named == set(extras) - {"spark"}


@pytest.mark.parametrize(("command", "expected"), QUESTIONS)
def test_each_question_is_answered_with_the_package_alone(
    installed: Installed, build: Build, command: str, expected: str
) -> None:
    prepare(installed.folder)
    done = installed.ote(*command.format(release=build.release).split())
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout


@pytest.mark.parametrize("command", ["build", "site", "release diff {release}"])
def test_what_needs_the_pipeline_says_what_to_install(
    installed: Installed, build: Build, command: str
) -> None:
    (installed.folder / "warehouse").mkdir(exist_ok=True)
    done = installed.ote(*command.format(release=build.release).split())
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.endswith("pip install 'open-training-emissions[pipeline]'")


@pytest.mark.parametrize(
    "command", ["update", "release make", "add --model A --developer Me --hardware H100 --energy-kwh 1"]
)
def test_the_facts_of_an_installed_package_are_not_changed(installed: Installed, command: str) -> None:
    before = {file: file.stat().st_mtime_ns for file in installed.package.rglob("*.csv")}
    done = installed.ote(*command.split(), only_required=False)
    assert done.returncode == 2, done.stdout
    assert "Traceback" not in done.stderr
    assert {file: file.stat().st_mtime_ns for file in installed.package.rglob("*.csv")} == before


def test_it_builds_where_it_is_run_and_not_in_itself(installed: Installed, build: Build) -> None:
    """With the libraries of the pipeline; the tables are those of the checkout. No commit: a draft."""
    before = {file: file.stat().st_mtime_ns for file in installed.package.rglob("*") if file.suffix != ".pyc"}
    done = installed.ote("build", only_required=False)
    assert done.returncode == 0, done.stderr
    after = {file: file.stat().st_mtime_ns for file in installed.package.rglob("*") if file.suffix != ".pyc"}
    files = {file for file in before if file.is_file()}
    assert {file for file in after if file.is_file()} == files
    assert {file: after[file] for file in files} == {file: before[file] for file in files}
    made = next((installed.folder / "warehouse" / "drafts").glob("[0-9]*"))
    for name in ("emissions.csv", "hardware.csv"):
        assert (made / "csv" / name).read_bytes() == (build.release / "csv" / name).read_bytes()
