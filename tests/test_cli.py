"""`ote build` as a person or a script meets it: messages, exit codes, locks, kills."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from pipelines import catalog
from pipelines.warehouse import lock
from tests.conftest import OTE, REFERENCE, ote, releases, without_privilege


@pytest.fixture(scope="module")
def published(elsewhere: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that `ote build` has built in."""
    said = " ".join((elsewhere / "said.txt").read_text(encoding="utf-8").split())  # a line may break anywhere
    for words in ("Rows:", "emissions 358", "Checks:", "The ten largest runs", "Llama 3.1 405B"):
        assert words in said, said
    assert "Llama 3.3 70B" not in said  # the training of Llama 3.1 70B
    own = tmp_path_factory.mktemp("cli") / "warehouse"
    return Path(shutil.copytree(elsewhere / "warehouse", own, symlinks=True))


def sums(directory: Path) -> dict[str, str]:
    """Checksum of the published database and of every file of every release."""
    whole = [path for folder in releases(directory) for path in folder.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in [directory / "emissions.duckdb", *whole]
    }


def test_a_second_build_does_nothing_and_says_so(published: Path) -> None:
    assert ote("build", "--warehouse", published).returncode == 0  # the sources are settled by a first one

    def written() -> dict[Path, int]:
        files = (path for path in published.rglob("*") if path.is_file() and path.name != "build.lock")
        return {path: path.stat().st_mtime_ns for path in files}

    before = written()
    started = time.monotonic()
    done = ote("build", "--warehouse", published)
    assert done.returncode == 0
    assert "Nothing changed" in done.stdout
    assert "The ten largest runs" in done.stdout
    assert time.monotonic() - started < 10
    assert written() == before
    for pointer in ("index.json", "latest"):  # as where the release was got from elsewhere
        (published / "releases" / pointer).unlink()
    assert "Nothing changed" in ote("build", "--warehouse", published).stdout
    (release,) = releases(published)
    assert (published / "releases" / "latest").readlink() == Path(release.name)


def test_a_wrong_fact_ends_with_a_message_and_code_1(published: Path, tmp_path: Path) -> None:
    facts = Path(shutil.copytree(REFERENCE, tmp_path / "reference"))
    runs = facts / "training_runs.csv"
    runs.write_text(runs.read_text().replace("t5-11b,T5-11B,Google,US,", "t5-11b,T5-11B,Google,US,2199-", 1))
    before = sums(published)
    done = ote("build", "--warehouse", published, "--reference", facts)
    assert done.returncode == 1
    assert "The build failed; what was published before is untouched." in done.stderr
    assert "training_runs.csv" in done.stderr
    assert "column published_date (t5-11b)" in done.stderr
    assert "Traceback" not in done.stderr
    assert sums(published) == before


def test_a_failed_check_names_columns_limits_and_a_row_and_no_warning(
    published: Path, tmp_path: Path
) -> None:
    facts = Path(shutil.copytree(REFERENCE, tmp_path / "reference"))
    runs = facts / "training_runs.csv"
    runs.write_text(
        runs.read_text().replace("NVIDIA V100,32,140,,,300,", "NVIDIA V100,900000,19000,,,300,", 1)
    )
    done = ote("build", "--warehouse", published, "--reference", facts)
    assert done.returncode == 1
    causes = [line for line in done.stderr.splitlines() if line.startswith("- ")]
    assert "- out.emissions fails keeps_its_catalog" in causes
    assert not [line for line in causes if "is_fresh" in line]
    assert "    chip_hours, expected 0 to 2e+09: A hundred thousand chips for two years" in done.stderr
    assert "Rows that fail: 1, e.g. run_id = gpt-fr-cased-base, chip_hours = 17100000000.0" in done.stderr


def test_the_second_of_two_builds_says_who_holds_the_lock(tmp_path: Path) -> None:
    with lock(tmp_path / "warehouse"):
        done = ote("build", "--warehouse", tmp_path / "warehouse")
    assert done.returncode == 1
    assert f"another build is running: process {os.getpid()}, since " in done.stderr
    assert "Traceback" not in done.stderr


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    code = "import sys, time; from pathlib import Path; from pipelines.warehouse import lock\n"
    code += "with lock(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(60)"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=catalog.ROOT, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with lock(tmp_path):
        pass


def test_a_damaged_release_is_reported_not_repaired(published: Path, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(published, tmp_path / "warehouse", symlinks=True))
    (release,) = releases(directory)
    victim = release / "csv" / "emissions.csv"
    victim.write_text("damaged")
    done = ote("build", "--warehouse", directory)
    assert done.returncode == 1
    assert "csv/emissions.csv changed" in done.stderr
    assert victim.read_text() == "damaged"


def test_an_unreadable_working_database_is_set_aside(published: Path, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(published, tmp_path / "warehouse", symlinks=True))
    (directory / "build.duckdb").write_bytes(b"not a database" * 1000)
    (directory / "published.json").unlink()
    assert ote("build", "--warehouse", directory).returncode == 0
    assert (directory / "build.unreadable").exists()


def test_killed_at_any_moment_the_published_stays_and_the_next_build_succeeds(
    published: Path, tmp_path: Path
) -> None:
    directory = Path(shutil.copytree(published, tmp_path / "warehouse", symlinks=True))
    facts = Path(shutil.copytree(REFERENCE, tmp_path / "reference"))
    runs = facts / "training_runs.csv"
    runs.write_text(runs.read_text().replace("t5-11b,T5-11B,", "t5-11b,T5 11B,", 1))
    released = sums(directory)
    del released["emissions.duckdb"]
    command = [*OTE, "build", "--warehouse", str(directory), "--reference", str(facts)]
    killed = 0
    for seconds in (3.0, 4.5, 6.0, 7.5, 9.0):
        process = subprocess.Popen(
            command, cwd=catalog.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(seconds)
        if process.poll() is not None:
            break
        process.kill()
        process.wait()
        killed += 1
        kept = sums(directory)
        databases = {checksum for name, checksum in kept.items() if name.endswith(".duckdb") and "/" in name}
        assert kept.pop("emissions.duckdb") in databases  # that of a whole release, the old or the new
        assert {name: kept[name] for name in released} == released
        with duckdb.connect(str(directory / "emissions.duckdb"), read_only=True) as connection:
            assert connection.execute("select count(*) from emissions").fetchall() == [(358,)]
    assert killed >= 2
    done = ote("build", "--warehouse", directory, "--reference", facts)
    assert done.returncode == 0, done.stderr
    with duckdb.connect(str(directory / "emissions.duckdb"), read_only=True) as connection:
        assert connection.execute("select model from emissions where run_id = 't5-11b'").fetchall() == [
            ("T5 11B",)
        ]
    assert not list((directory / "releases").glob(".*"))


def test_an_interrupted_release_leaves_no_half_version_behind(published: Path) -> None:
    for folder in releases(published):
        assert json.loads((folder / "manifest.json").read_text())["version"] == folder.name
        assert (folder / "SHA256SUMS").exists()


@pytest.mark.parametrize(
    ("command", "outcome"),
    [
        (["build"], "Nothing was built"),
        (["register"], "Nothing was registered"),
        (["accept", "epa_egrid", "--reason", "x"], "epa_egrid was not accepted"),
    ],
    ids=lambda given: given[0] if isinstance(given, list) else "",
)
def test_a_place_that_cannot_be_written_is_named_in_one_line(
    command: list[str], outcome: str, tmp_path: Path
) -> None:
    (tmp_path / "closed").mkdir(mode=0o555)
    (tmp_path / "file").touch()
    for folder in (tmp_path / "closed", tmp_path / "closed" / "below", tmp_path / "file"):
        done = subprocess.run(
            [*without_privilege(), *OTE, *command, "--warehouse", str(folder)],
            cwd=catalog.ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr.startswith(f"{outcome}: {folder}: ")
        assert done.stderr.endswith("with --warehouse.\n") or command == ["register"]
        assert done.stderr.count("\n") == 1


def test_a_history_that_cannot_be_written_is_named_in_one_line(tmp_path: Path) -> None:
    history = tmp_path / "dagster"
    history.mkdir(mode=0o555)
    done = subprocess.run(
        [*without_privilege(), *OTE, "build", "--warehouse", str(tmp_path)],
        cwd=catalog.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"Nothing was built: {history}: Permission denied.")
    assert done.stderr.count("\n") == 1


def test_an_unknown_option_ends_with_code_2() -> None:
    done = ote("build", "--nonsense")
    assert done.returncode == 2
    assert "--nonsense" in done.stderr
