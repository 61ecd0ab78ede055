"""`ote build` with a server: faults of all sources at once, what is kept, locked and accepted."""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import catalog
from tests.conftest import ote, releases
from tests.faults import Answer, redirect, serve

GOOGLE = catalog.sources()["google_region_carbon"]
REGIONS = {"us-central1": (0.94, 394), "europe-west1": (0.82, 110), "asia-east1": (0.17, 456)}
PLACES = [f"somewhere-{i}" for i in range(30)]


def year(factor: float = 1) -> bytes:
    """A year's file with a handful of true regions and enough others to be believed."""
    known = [f"{region},Place,{cfe},{intensity * factor:g}" for region, (cfe, intensity) in REGIONS.items()]
    others = [f"{place},Place,0.5,{300 * factor:g}" for place in PLACES]
    header = "Google Cloud Region,Location,Google CFE,Grid carbon intensity (gCO2eq / kWh)"
    return ("\n".join([header, *known, *others]) + "\n").encode()


def google(last: Answer) -> dict[str, Answer]:
    files = sorted(GOOGLE.files)
    return {f"/{file}": Answer(year()) for file in files} | {f"/{files[-1]}": last}


def zip_out_of_its_folder() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../all_ai_models.csv", "Model\nGPT-3\n")
    return buffer.getvalue()


BROKEN: dict[str, tuple[Answer, str]] = {
    "epoch_models": (Answer(zip_out_of_its_folder()), "epoch_models"),
    "epoch_hardware": (Answer(b"<!doctype html><title>Sign in</title>"), "markup"),
    "epoch_data_centers": (Answer(b"no", 403), "403"),
    "gsf_cloud_regions": (Answer(b"a,b\n1,2\n", fault="reset"), "reset"),
    "owid_electricity": (Answer(b""), "no bytes"),
    "epa_egrid": (redirect("http://example.org/x.json"), "example.org"),
    "carboncast_hourly": (Answer(b"UTC time,carbon_intensity\n" * 99, fault="cut"), "cut after"),
    "eia930_hourly": (Answer(b"gone", 410), "410"),
    "mlperf_training": (Answer(b"", 429, {"Retry-After": "86400"}), "429"),
}


def broken() -> dict[str, Answer]:
    """Every file of every source but Google's, as the fault of its source has it."""
    return {
        f"/{file}": answer
        for name, (answer, _) in BROKEN.items()
        for file in [*catalog.sources()[name].files, *catalog.sources()[name].fallback]
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that was built in while only one of ten sources was sound."""
    directory = tmp_path_factory.mktemp("sources") / "warehouse"
    with serve(google(Answer(year())) | broken()) as server:
        done = ote("build", "--warehouse", directory, "--mirror", server.url)
    assert done.returncode == 0, done.stderr
    (directory / "said.txt").write_text(done.stdout)
    return directory


def query(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(folder / "emissions.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def published(folder: Path) -> dict[str, str]:
    """Checksum of every file of the releases and of the database."""
    files = [folder / "emissions.duckdb", *(path for path in (folder / "releases").rglob("*"))]
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in files if p.is_file()}


def manifest(folder: Path) -> Path:
    return releases(folder)[0] / "manifest.json"


def test_nine_broken_sources_are_named_and_the_rest_is_built(folder: Path) -> None:
    said = (folder / "said.txt").read_text()
    for name, (_, words) in BROKEN.items():
        assert f"{name:<22} absent" in said
        assert words in said
    assert "Absent sources:" in said
    assert "Traceback" not in said
    assert query(folder, "select count(*) from emissions") == [(358,)]
    status = dict(query(folder, "select title, status from sources where status in ('snapshot', 'absent')"))
    assert status.pop(GOOGLE.title) == "snapshot"
    assert set(status.values()) == {"absent"}
    assert len(status) == len(BROKEN)


def test_what_was_published_stays_when_the_last_good_source_breaks(folder: Path) -> None:
    before = published(folder)
    for last, words in (
        (Answer(b"", fault="reset"), "reset"),
        (Answer(year(factor=2.5)), "changed by a factor above"),
        (Answer(year()[: year().index(b"somewhere-9")]), "gone"),
        (Answer(year()[:-40]), "cells"),
        (Answer(b"<html>"), "markup"),
    ):
        with serve(google(last)) as server:
            done = ote("build", "--warehouse", folder, "--mirror", server.url)
        assert done.returncode == 0, done.stderr
        assert f"{GOOGLE.name:<22} kept" in done.stdout
        assert words in done.stdout
        assert "Nothing changed since" in done.stdout
        assert published(folder) == before


def test_a_locked_build_asks_nobody_and_gives_the_release_that_it_names(folder: Path, tmp_path: Path) -> None:
    before = published(folder)
    (folder / "published.json").unlink()
    done = ote("build", "--warehouse", folder, "--locked", manifest(folder))
    assert done.returncode == 0, done.stderr
    assert f"{GOOGLE.name:<22} locked" in done.stdout
    after = published(folder)
    released = {path: sha256 for path, sha256 in before.items() if "/releases/" in path}
    assert {path: after[path] for path in released} == released
    assert len(releases(folder)) == 1


def test_a_manifest_that_is_none_is_refused(folder: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "manifest.json"
    wrong.write_text("{}")
    for path, words in ((wrong, "not the manifest of a release"), (tmp_path / "no.json", "missing")):
        done = ote("build", "--warehouse", folder, "--locked", path)
        assert done.returncode == 1
        assert words in done.stderr
        assert "Traceback" not in done.stderr


def test_a_refused_change_is_accepted_by_name_with_a_reason_and_then_used(folder: Path) -> None:
    answers = google(Answer(year(factor=2.5)))
    with serve(answers) as server:
        told = ote("build", "--warehouse", folder, "--mirror", server.url)
        assert told.returncode == 0, told.stderr
        accept = f'To take it all the same: ote accept {GOOGLE.name} --reason "..." --warehouse {folder}'
        assert told.stdout.count("ote accept") == told.stdout.count(accept) == 1
        for arguments, words in (
            (["no_source", "--reason", "x"], "is no source"),
            ([GOOGLE.name, "--reason", " "], "reason"),
            (["epa_egrid", "--reason", "x"], "nothing waits"),
        ):
            refused = ote("accept", "--warehouse", folder, *arguments)
            assert refused.returncode == 1
            assert words in refused.stderr
        assert ote("accept", "--warehouse", folder, GOOGLE.name, "--reason", "a new method").returncode == 0
        done = ote("build", "--warehouse", folder, "--mirror", server.url)
    assert done.returncode == 0, done.stderr
    newest = max(sorted(GOOGLE.files))
    sha256 = hashlib.sha256(year(factor=2.5)).hexdigest()
    assert query(folder, f"select sha256 from source_files where file = '{newest}'") == [(sha256,)]
    event = json.loads((folder / "snapshots" / f"{GOOGLE.name}.json").read_text())["events"][-1]
    assert event["reason"] == "a new method"
    assert len(releases(folder)) == 2
