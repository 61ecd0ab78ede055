"""The package as a user has it: installed from a registry into an empty environment, in an empty folder.

It needs a registry, so it runs where TEST_INSTALLED_PACKAGE is set: to 1 for each Python that is here, as
.ci/run does, or to a version that must be here, as the workflow does. Else it says why it does not.
"""

import os
import resource
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Build
from tests.test_package import QUESTIONS, made, prepare

PYTHONS = ("3.11", "3.12", "3.13")
ASKED = os.environ.get("TEST_INSTALLED_PACKAGE", "")
LARGEST_BYTES = 300_000_000
LONGEST_IMPORT_CPU_S = 0.3
# Every function, as one who has no library of frames.
PROGRAM = """
import ote

run = ote.estimate(hardware="H100", chips=8, training_hours=100, site_country="DE")
assert run["energy_mwh_p05"] < run["energy_mwh"] < run["energy_mwh_p95"]
assert ote.why("GPT-3")["run_id"] == "gpt-3-175b"
assert ote.where("gshard-600b")[0]["rank"] == 1
assert ote.find("bloom")[0]["energy_mwh"] > 0
assert ote.load("emissions").aggregate("count(*)").fetchall()[0][0] > 1000
with ote.connect() as data:
    assert data.execute("select version from release").fetchall() == [(run["dataset_version"],)]
assert ote.get(source={source!r}).is_dir()
try:
    ote.estimate(hardware="H100")
except ote.Error as error:
    print(error)
"""

pytestmark = pytest.mark.skipif(
    not ASKED,
    reason="installs from a package registry: set TEST_INSTALLED_PACKAGE=1, as .ci/run does",
)


@dataclass(frozen=True)
class Environment:
    """An environment that has the package alone, and an empty folder."""

    folder: Path
    home: Path

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program of it in the folder."""
        kept = {name: cell for name, cell in os.environ.items() if not name.startswith(("OTE_", "PYTHON"))}
        return subprocess.run(
            [self.home / "bin" / program, *arguments],
            cwd=self.folder,
            env=kept,
            capture_output=True,
            text=True,
            check=False,
        )


def python_of(version: str) -> str | None:
    """A Python of a version, if there is one here that runs."""
    found = shutil.which(f"python{version}")
    if found and subprocess.run([found, "--version"], capture_output=True, check=False).returncode == 0:
        return found
    versions = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    return str(versions[-1]) if versions else None


@pytest.fixture(scope="module", params=[ASKED] if "." in ASKED else PYTHONS)
def environment(
    request: pytest.FixtureRequest, build: Build, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """The package installed by pip for one Python."""
    python = python_of(request.param)
    assert python or "." not in ASKED, f"Python {request.param} was asked for and is not here"
    if python is None:
        pytest.skip(f"Python {request.param} is not installed here; the workflow has it")
    wheel = made(build, tmp_path_factory.mktemp("made"))
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("empty")
    subprocess.run([python, "-m", "venv", home], check=True)
    subprocess.run([home / "bin" / "python", "-m", "pip", "install", "--quiet", wheel], check=True)
    prepare(folder)
    return Environment(folder, home)


def test_it_is_small_and_has_none_of_the_pipeline(environment: Environment) -> None:
    files = [file for file in environment.home.rglob("*") if file.is_file() and not file.is_symlink()]
    assert sum(file.stat().st_size for file in files) < LARGEST_BYTES
    names = {file.name for file in environment.home.glob("lib/*/site-packages/*")}
    assert not names & {"dagster", "great_expectations", "polars", "pyarrow", "pandas", "numpy"}


def test_every_command_answers(environment: Environment, build: Build) -> None:
    for command, expected in QUESTIONS:
        done = environment.run("ote", *command.format(release=build.release).split())
        assert done.returncode == 0, (command, done.stderr)
        assert expected in done.stdout, command


def test_every_function_answers(environment: Environment, build: Build, tmp_path: Path) -> None:
    from ote.releases import publishing

    publishing.publish(build.release, str(tmp_path))
    done = environment.run("python", "-c", PROGRAM.format(source=str(tmp_path)))
    assert done.returncode == 0, done.stderr
    assert "training_hours" in done.stdout


def test_the_import_is_quick(environment: Environment) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert environment.run("python", "-c", "import ote").returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < LONGEST_IMPORT_CPU_S


def test_a_build_says_what_to_install(environment: Environment) -> None:
    done = environment.run("ote", "build")
    assert done.returncode == 2
    assert done.stderr.endswith("pip install 'open-training-emissions[pipeline]'\n")
    assert len(done.stderr.splitlines()) == 1
