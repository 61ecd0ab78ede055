"""`ote release`: from a green build and nothing else, whole or not at all."""

import hashlib
import json
import resource
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from ote import catalog
from ote.ingestion.curated import read
from ote.releases import record
from ote.releases import release as releasing
from tests.conftest import OTE, Build, ote, outlasts, process, releases, resum, without_privilege

FORECASTS = catalog.tables()["raw.forecasts"]


@pytest.fixture
def unreleased(copy: Path, tmp_path: Path) -> Path:
    """A green build whose release is gone, beside an earlier one of other content."""
    (release,) = releases(copy)
    release.rename(release.with_name("0.0.9+00000000"))
    (copy / "releases" / "index.json").unlink()
    manifest = copy / "releases" / "0.0.9+00000000" / "manifest.json"
    manifest.write_text(manifest.read_text().replace(release.name, "0.0.9+00000000"))
    resum(manifest.parent)
    releasing.point(copy / "releases")
    return copy


def command(folder: Path) -> tuple[str | Path, ...]:
    """`ote release` with a record of its own."""
    return ("release", "make", "--warehouse", folder, "--released", folder / "released")


def content(folder: Path) -> dict[str, str]:
    """Checksum of every file of every release."""
    files = [file for release in releases(folder) for file in release.rglob("*") if file.is_file()]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_it_writes_the_release_of_a_green_build_and_its_record(build: Build, unreleased: Path) -> None:
    done = ote(*command(unreleased))
    assert done.returncode == 0, done.stderr
    release = Path(done.stdout.strip())
    releasing.verify(release)
    assert release.name == build.release.name
    assert (unreleased / "releases" / "latest").resolve() == release.resolve()
    kept, written = record.read(unreleased / "released"), record.read(release)
    assert kept is not None
    assert kept == written
    estimates = build.query("select count(*) from emissions")
    assert (kept.version, [(len(kept.estimates),)]) == (release.name, estimates)
    assert sum(file.stat().st_size for file in (unreleased / "released").iterdir()) < 500_000
    again = ote(*command(unreleased))
    assert again.stdout == done.stdout


def test_the_commit_with_the_record_makes_the_same_release(build: Build, unreleased: Path) -> None:
    """The record is committed after the release, and the tag is on that commit: its build is the release."""
    made = ote(*command(unreleased))
    assert made.returncode == 0, made.stderr
    release = Path(made.stdout.strip())
    changes = (release / "CHANGES.md").read_text(encoding="utf-8")
    assert (unreleased / "released" / "CHANGES.md").read_text(encoding="utf-8") == changes
    shutil.rmtree(unreleased / "releases")
    with duckdb.connect(str(unreleased / "build.duckdb")) as connection:  # as if it read forecasts.csv
        rows = len(read(unreleased / "released", FORECASTS))
        connection.execute("update state.tables set row_count = ? where name = 'raw.forecasts'", [rows])
        observed = "update state.results set observed = '1 to 2' where name = 'raw.forecasts'"
        connection.execute(observed)
    again = ote(*command(unreleased))
    assert (again.returncode, again.stdout) == (0, made.stdout), again.stderr
    assert (release / "CHANGES.md").read_text(encoding="utf-8") == changes


def test_the_version_follows_from_the_record_and_from_no_folder(build: Build, unreleased: Path) -> None:
    """The record is tracked: whoever builds this commit gets the same version, whatever is on the disk."""
    known = record.read(build.release)
    assert known is not None
    earlier = replace(known, version="0.9.4", content="0" * 64, estimates={}, commit="abc")
    (unreleased / "released").mkdir()
    (unreleased / "released" / record.RECORD).write_text(record.text(earlier))
    (unreleased / "released" / record.ESTIMATES).write_text(record.estimates_text(earlier))
    done = ote(*command(unreleased))
    assert done.returncode == 0, done.stderr
    release = Path(done.stdout.strip())
    assert release.name == build.release.name == catalog.dataset().version
    page = (release / "CHANGES.md").read_text(encoding="utf-8")
    assert page.startswith(f"# Changes from 0.9.4 to {release.name}\n")
    assert f"{len(known.estimates):,} estimates are new, 0 are gone" in page


def test_what_has_no_higher_version_is_a_draft_and_says_which_it_needs(
    build: Build, unreleased: Path
) -> None:
    known = record.read(build.release)
    assert known is not None
    earlier = replace(known, content="0" * 64, estimates={})
    (unreleased / "released").mkdir()
    (unreleased / "released" / record.RECORD).write_text(record.text(earlier))
    (unreleased / "released" / record.ESTIMATES).write_text(record.estimates_text(earlier))
    before = content(unreleased)
    done = ote(*command(unreleased))
    assert done.returncode == 1
    assert f"No release, but a draft: it differs from {known.version} by a minor step" in done.stderr
    assert f"is {known.version}: write {record.next_version(known.version, 'minor')} there" in done.stderr
    assert content(unreleased) == before
    kept = record.read(unreleased / "released")
    assert kept is not None
    assert kept.content == earlier.content
    (draft,) = (unreleased / "drafts").iterdir()
    releasing.verify(draft)
    refused = ote("release", "publish", unreleased / "public", "--version", draft)
    assert refused.returncode != 0
    assert "is a draft" in refused.stderr


def test_no_release_is_written_that_breaks_a_promise(build: Build, unreleased: Path) -> None:
    """The last release had `method.spread`, which is `method.gsd` now."""
    stated = json.loads((build.release / record.RECORD).read_text())
    columns = stated["tables"]["method"]["columns"]
    columns["spread"] = columns.pop("gsd")
    shutil.copytree(build.release / "parquet", unreleased / "released" / "parquet")
    (unreleased / "released" / record.RECORD).write_text(json.dumps(stated))
    before = content(unreleased)
    done = ote(*command(unreleased))
    assert done.returncode == 1
    assert "method.spread is gsd now: keep the old name as well" in done.stderr
    assert done.stderr.count("\n") == 1
    assert content(unreleased) == before


def test_a_damaged_record_is_named(unreleased: Path) -> None:
    (unreleased / "released").mkdir()
    before = content(unreleased)
    for damage in (b"{", b"\x80", b"[]", b'{"version": 1}'):
        (unreleased / "released" / record.RECORD).write_bytes(damage)
        done = ote(*command(unreleased))
        assert done.returncode == 1
        assert f"{unreleased / 'released' / record.RECORD}: not the record of a release" in done.stderr
        assert "Restore it with git." in done.stderr
        assert content(unreleased) == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("update state.validations set passed = false where name = 'out.emissions'", "failed its checks"),
        ("delete from state.validations where name = 'out.method'", "out.method has not been checked"),
        ("delete from state.tables where name = 'out.locations'", "out.locations has not been built"),
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
    done = ote(*command(unreleased))
    assert done.returncode == 1
    assert words in done.stderr
    assert content(unreleased) == before


def test_it_refuses_where_nothing_was_built(tmp_path: Path) -> None:
    done = ote(*command(tmp_path))
    assert done.returncode == 2
    assert "Build first" in done.stderr


def test_a_full_disk_leaves_what_was_there(unreleased: Path) -> None:
    """No file may grow beyond half a megabyte, as on a disk that is full by then."""
    before = content(unreleased)
    done = process(
        *command(unreleased),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000)),
    )
    assert done.returncode == 1
    assert done.stderr.startswith("No release was written: ")
    assert "File too large" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert content(unreleased) == before
    assert ote(*command(unreleased)).returncode == 0
    assert len(releases(unreleased)) == 2
    assert not list((unreleased / "releases").glob(".*"))


def test_a_database_that_someone_has_open_is_said(unreleased: Path) -> None:
    with duckdb.connect(str(unreleased / "build.duckdb")):
        done = process(*command(unreleased))
    assert done.returncode == 1
    assert done.stderr.startswith("No release was written: ")
    assert "Conflicting lock is held" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_index_is_said_and_can_be_written_anew(unreleased: Path) -> None:
    index = unreleased / "releases" / "index.json"
    for damage in (b"{", b"\x80", b'{"releases": [{}]}', b"[]"):
        index.write_bytes(damage)
        done = ote(*command(unreleased))
        assert done.returncode == 1
        assert done.stderr.startswith(f"{index}: ")
        assert f"Move {index} away: it is written anew" in done.stderr
    index.unlink()
    assert ote(*command(unreleased)).returncode == 0
    assert len(releasing.index(unreleased / "releases")) == 2


def test_no_release_is_compared_with_one_that_is_damaged(unreleased: Path) -> None:
    """Its bytes could say of a value that it changed."""
    (latest,) = releases(unreleased)
    file = latest / "parquet" / "emissions.parquet"
    content = file.read_bytes()
    file.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
    done = ote("diff", latest, latest)
    assert done.returncode == 1
    assert "parquet/emissions.parquet changed" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_that_is_read_only_is_said_and_stays_as_it_was(unreleased: Path) -> None:
    before = content(unreleased)
    (unreleased / "releases").chmod(0o555)
    done = process(*command(unreleased), before=without_privilege())
    (unreleased / "releases").chmod(0o755)
    assert done.returncode == 1
    assert "No release was written" in done.stderr
    assert "Permission denied" in done.stderr
    assert content(unreleased) == before
    releasing.verify((unreleased / "releases" / "latest").resolve())


def test_killed_at_any_moment_no_half_release_is_seen(build: Build, unreleased: Path) -> None:
    """At moments from the first at which something of the release is there."""
    before = content(unreleased)
    partial = unreleased / "releases" / f".{build.release.name}.partial"
    killed = 0
    for moment in range(6):
        process = subprocess.Popen(
            [*OTE, *map(str, command(unreleased))],
            cwd=catalog.ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not partial.exists() and outlasts(process, 0.02):
            pass
        if not outlasts(process, 0.4 * moment):
            break  # from here on the release is there, and each later moment is the same
        process.send_signal(signal.SIGKILL)
        killed += 1
        process.wait()
        now = content(unreleased)
        assert {name: now.get(name) for name in before} == before
        for release in releases(unreleased):
            releasing.verify(release)
        latest = unreleased / "releases" / "latest"
        releasing.verify(latest.resolve())
        if partial.exists():
            partial.rename(partial.with_name(".left.partial"))
    assert killed >= 3
    assert ote(*command(unreleased)).returncode == 0
    assert len(releases(unreleased)) == 2
    assert not [*partial.parent.glob(".*.partial")]
