"""`ote release`: from a green build and nothing else, whole or not at all."""

import hashlib
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

import duckdb
import pytest

from pipelines import catalog
from pipelines.releases import release as releasing
from tests.conftest import OTE, Build, ote, releases, without_privilege


@pytest.fixture(scope="module")
def earlier(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a green build, and an earlier release of other content; only to be copied."""
    folder = tmp_path_factory.mktemp("earlier") / "warehouse"
    shutil.copytree(build.directory, folder, symlinks=True)
    (release,) = releases(folder)
    with duckdb.connect(str(folder / "build.duckdb")) as connection:
        connection.execute("update state.results set why = why || ' earlier'")
    done = ote("release", "--warehouse", folder)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(release)
    with duckdb.connect(str(folder / "build.duckdb")) as connection:
        connection.execute("update state.results set why = left(why, len(why) - 8)")
    return folder


@pytest.fixture
def unreleased(earlier: Path, tmp_path: Path) -> Path:
    """Such a folder of its own."""
    return Path(shutil.copytree(earlier, tmp_path / "warehouse", symlinks=True))


def content(folder: Path) -> dict[str, str]:
    """Checksum of every file of every release."""
    files = [file for release in releases(folder) for file in release.rglob("*") if file.is_file()]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_it_writes_the_release_of_a_green_build(build: Build, unreleased: Path) -> None:
    done = ote("release", "--warehouse", unreleased)
    assert done.returncode == 0, done.stderr
    release = Path(done.stdout.strip())
    releasing.verify(release)
    assert release.name.split("+")[1] == build.release.name.split("+")[1]
    assert (unreleased / "releases" / "latest").resolve() == release.resolve()
    again = ote("release", "--warehouse", unreleased)
    assert again.stdout == done.stdout


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("update state.validations set passed = false where name = 'out.emissions'", "failed its checks"),
        ("delete from state.validations where name = 'out.method'", "out.method has not been checked"),
        ("delete from state.tables where name = 'out.places'", "out.places has not been built"),
        (
            "update state.tables set version = 'x' where name = 'core.method'",
            "before the present core.method",
        ),
        ("update state.tables set made_by = 'x' where name = 'core.method'", "built by other code"),
    ],
)
def test_it_refuses_a_build_that_failed_or_is_stale(unreleased: Path, change: str, words: str) -> None:
    before = content(unreleased)
    with duckdb.connect(str(unreleased / "build.duckdb")) as connection:
        connection.execute(change)
    done = ote("release", "--warehouse", unreleased)
    assert done.returncode == 1
    assert words in done.stderr
    assert content(unreleased) == before


def test_it_refuses_where_nothing_was_built(tmp_path: Path) -> None:
    done = ote("release", "--warehouse", tmp_path)
    assert done.returncode == 2
    assert "Build first" in done.stderr


def test_a_full_disk_leaves_what_was_there(unreleased: Path) -> None:
    """No file may grow beyond half a megabyte, as on a disk that is full by then."""
    before = content(unreleased)
    done = subprocess.run(
        [*OTE, "release", "--warehouse", str(unreleased)],
        cwd=catalog.ROOT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000)),
    )
    assert done.returncode == 1
    assert done.stderr.startswith("No release was written: ")
    assert "File too large" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert content(unreleased) == before
    assert ote("release", "--warehouse", unreleased).returncode == 0
    assert len(releases(unreleased)) == 2
    assert not list((unreleased / "releases").glob(".*"))


def test_a_database_that_someone_has_open_is_said(unreleased: Path) -> None:
    with duckdb.connect(str(unreleased / "build.duckdb")):
        done = ote("release", "--warehouse", unreleased)
    assert done.returncode == 1
    assert done.stderr.startswith("No release was written: ")
    assert "Conflicting lock is held" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("damage", [b"{", b"\x80", b'{"releases": [{}]}', b"[]"])
def test_a_damaged_index_is_said_and_can_be_written_anew(unreleased: Path, damage: bytes) -> None:
    index = unreleased / "releases" / "index.json"
    index.write_bytes(damage)
    done = ote("release", "--warehouse", unreleased)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{index}: not the index of releases. Move it away")
    index.unlink()
    assert ote("release", "--warehouse", unreleased).returncode == 0
    assert len(releasing.index(unreleased / "releases")) == 2


def test_no_release_is_compared_with_one_that_is_damaged(unreleased: Path) -> None:
    """Its bytes could say of a value that it changed."""
    (latest,) = releases(unreleased)
    file = latest / "parquet" / "emissions.parquet"
    content = file.read_bytes()
    file.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
    for command in (("release", "--warehouse", unreleased), ("diff", latest, latest)):
        done = ote(*command)
        assert done.returncode == 1
        assert "parquet/emissions.parquet changed" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert releases(unreleased) == [latest]


def test_a_folder_that_is_read_only_is_said_and_stays_as_it_was(unreleased: Path) -> None:
    before = content(unreleased)
    (unreleased / "releases").chmod(0o555)
    done = subprocess.run(
        [*without_privilege(), *OTE, "release", "--warehouse", str(unreleased)],
        cwd=catalog.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    (unreleased / "releases").chmod(0o755)
    assert done.returncode == 1
    assert "No release was written" in done.stderr
    assert "Permission denied" in done.stderr
    assert content(unreleased) == before
    releasing.verify((unreleased / "releases" / "latest").resolve())


def test_killed_at_any_moment_no_half_release_is_seen(unreleased: Path) -> None:
    before = content(unreleased)
    killed = 0
    for moment in range(20):
        process = subprocess.Popen(
            [*OTE, "release", "--warehouse", str(unreleased)],
            cwd=catalog.ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(0.5 + 0.12 * moment)
        if process.poll() is not None:  # from here on the release is there, and each later moment is the same
            break
        process.send_signal(signal.SIGKILL)
        killed += 1
        process.wait()
        now = content(unreleased)
        assert {name: now.get(name) for name in before} == before
        for release in releases(unreleased):
            releasing.verify(release)
        latest = unreleased / "releases" / "latest"
        releasing.verify(latest.resolve())
    assert killed >= 3
    assert ote("release", "--warehouse", unreleased).returncode == 0
    assert len(releases(unreleased)) == 2
