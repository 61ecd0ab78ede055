"""What a build takes of an upstream: faults of servers and files, drift, acceptance, what is kept."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from pipelines.ingestion.ingest import Settled
from pipelines.ingestion.snapshots import Files, Origin

from pipelines import catalog
from pipelines.ingestion import fetch, gates, ingest, revisions, snapshots
from tests.conftest import UPSTREAM, needs_upstream
from tests.faults import Answer, closed_port, redirect, serve

GOOGLE = catalog.sources()["google_region_carbon"]
EPOCH = catalog.sources()["epoch_models"]
HEADER = "Google Cloud Region,Location,Google CFE,Grid carbon intensity (gCO2eq / kWh)"
YEARS = [file for file in GOOGLE.files if file not in GOOGLE.optional]
REGIONS = [f"region-{i},Place {i},0.{10 + i},{400 + i}" for i in range(40)]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "PAUSE_S", 0.01)
    monkeypatch.setattr(fetch, "READ_S", 0.5)


def year(rows: list[str] = REGIONS, header: str = HEADER) -> bytes:
    """One year's file."""
    return ("\n".join([header, *rows]) + "\n").encode()


def google(last: Answer | None = None) -> dict[str, Answer]:
    """All years as they should be; the last one as given."""
    files = {f"/{file}": Answer(year()) for file in YEARS}
    return files | ({f"/{YEARS[-1]}": last} if last else {})


def settle(store: Path, answers: dict[str, Answer]) -> Settled:
    with serve(answers) as server:
        return ingest.settle(store, GOOGLE, Origin(mirror=server.url))


def rows(store: Path, settled: Settled) -> pl.DataFrame:
    return gates.gated(ingest.parsed(store, GOOGLE, settled.files), GOOGLE)[0]


PERCENT = [row.replace(",0.", ",") for row in REGIONS]
FAULTS: dict[str, tuple[Answer, str]] = {
    "404": (Answer(b"gone\n", 404), "404"),
    "410": (Answer(b"gone\n", 410), "410"),
    "403": (Answer(b"no\n", 403), "403"),
    "429 for a day": (Answer(b"", 429, {"Retry-After": "86400"}), "429"),
    "503": (Answer(b"", 503), "503"),
    "HTML for CSV": (Answer(b"<!doctype html><p>Sign in"), "markup"),
    "redirect to HTML": (redirect("/login"), "404"),
    "redirect to another host": (redirect("http://example.org/x.csv"), "example.org"),
    "an empty body": (Answer(b""), "no bytes"),
    "cut against its length": (Answer(year(), fault="cut"), "cut after"),
    "reset": (Answer(year(), fault="reset"), "reset"),
    "another character set": (Answer(year().replace(b"Place 1,", "Zürich,".encode("latin-1"))), "UTF-8"),
    "a column renamed": (Answer(year(header=HEADER.replace("Google CFE", "Clean"))), "cfe_fraction"),
    "a column dropped": (Answer(year([r.rsplit(",", 1)[0] for r in REGIONS], HEADER.rsplit(",", 1)[0])), "n"),
    "a ragged row": (Answer(year([*REGIONS, "only,three,cells"])), "3 cells"),
    "percent for fraction": (Answer(year(PERCENT)), "Above 1"),
    "kg for g": (Answer(year([r[:-3] + f"0.{r[-3:]}" for r in REGIONS])), "carbon_intensity_g_per_kwh"),
    "values moved by two and a half": (
        Answer(year([f"region-{i},Place {i},0.{10 + i},{1000 + i}" for i in range(40)])),
        "changed",
    ),
    "half the rows gone": (Answer(year(REGIONS[:20])), "gone"),
    "every key twice": (Answer(year([*REGIONS, *REGIONS])), "key"),
    "304 without a snapshot": (Answer(status=304), "304"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_keeps_the_last_good_snapshot_and_says_what_came(name: str, tmp_path: Path) -> None:
    good = settle(tmp_path, google())
    before = rows(tmp_path, good)
    answer, says = FAULTS[name]
    faulty = settle(tmp_path, google(answer))
    assert faulty.status == "kept"
    assert any(says in problem for problem in faulty.problems), faulty.problems
    assert rows(tmp_path, faulty).equals(before)
    assert settle(tmp_path, google()).status == "unchanged"


def test_without_any_snapshot_a_fault_leaves_the_source_absent(tmp_path: Path) -> None:
    settled = settle(tmp_path, google(Answer(b"", 503)))
    assert (settled.status, settled.files) == ("absent", {})


def test_nobody_there_is_one_message_not_one_for_every_file(tmp_path: Path) -> None:
    settled = ingest.settle(tmp_path, GOOGLE, Origin(mirror=closed_port()))
    assert settled.status == "absent"
    assert len(settled.problems) <= snapshots.AT_ONCE


def test_each_source_of_a_host_that_is_not_there_names_its_own_address(tmp_path: Path) -> None:
    origin = Origin(mirror=closed_port())
    for name in ("google_region_carbon", "epa_egrid", "mlperf_training", "carboncast_hourly"):
        source = catalog.sources()[name]
        own = (*(f"{origin.mirror}/{file}: " for file in source.files), f"the other files of {name} ")
        problems = ingest.settle(tmp_path, source, origin).problems
        assert problems
        assert all(problem.startswith(own) for problem in problems), problems


HARMLESS: dict[str, Callable[[bytes], bytes]] = {
    "a byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "CRLF": lambda body: body.replace(b"\n", b"\r\n"),
    "a quoted newline": lambda body: body.replace(b"Place 1,", b'"Place\n1",', 1),
    "a column added": lambda body: (
        b"\n".join(line + (b",new" if i == 0 else b",1") for i, line in enumerate(body.split(b"\n")[:-1]))
        + b"\n"
    ),
    "columns reordered": lambda body: (
        b"\n".join(b",".join(reversed(line.split(b","))) for line in body.split(b"\n")[:-1]) + b"\n"
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_not_change_the_facts_is_accepted(name: str, tmp_path: Path) -> None:
    before = rows(tmp_path, settle(tmp_path, google()))
    changed = settle(tmp_path, google(Answer(HARMLESS[name](year()))))
    assert changed.status == "fresh", changed.problems
    assert rows(tmp_path, changed).drop("location").equals(before.drop("location"))


def test_an_unchanged_file_is_asked_for_by_its_version_and_not_sent_again(tmp_path: Path) -> None:
    answers = {f"/{file}": Answer(year(), etag='"1"') for file in YEARS}
    with serve(answers) as server:
        ingest.settle(tmp_path, GOOGLE, Origin(mirror=server.url))
        again = ingest.settle(tmp_path, GOOGLE, Origin(mirror=server.url))
        asked = server.headers[f"/{YEARS[0]}"]
    assert again.status == "unchanged"
    assert [request.get("if-none-match") for request in asked] == [None, '"1"']


def test_a_bad_row_is_quarantined_by_name_and_the_rest_is_taken(tmp_path: Path) -> None:
    bad = [*REGIONS[:-1], "region-39,Place 39,0.5,lots"]
    settled = settle(tmp_path, google(Answer(year(bad))))
    kept, quarantined = gates.gated(ingest.parsed(tmp_path, GOOGLE, settled.files), GOOGLE)
    assert kept.height == 40 * len(YEARS) - 1
    (row,) = quarantined.rows(named=True)
    assert (row["row_key"], row["column_name"], row["cell"], row["gate"]) == (
        "region-39 / 2024",
        "carbon_intensity_g_per_kwh",
        "lots",
        "type",
    )


def test_kilowatts_for_watts_are_turned_away() -> None:
    hardware = catalog.sources()["epoch_hardware"]
    columns = [column.name for column in catalog.tables()[hardware.table].columns]
    frame = pl.DataFrame({name: [None, None] for name in columns}).with_columns(
        name=pl.Series(["W", "kW"]), tdp_w=pl.Series([700.0, 0.7])
    )
    kept, quarantined = gates.gated(frame, hardware)
    assert kept["name"].to_list() == ["W"]
    (row,) = quarantined.rows(named=True)
    assert (row["row_key"], row["column_name"], row["gate"]) == ("kW", "tdp_w", "range")
    assert "kW" in row["says"]


def test_a_refused_change_waits_until_it_is_accepted_with_a_reason(tmp_path: Path) -> None:
    settle(tmp_path, google())
    moved = google(FAULTS["values moved by two and a half"][0])
    refused = settle(tmp_path, moved)
    assert refused.status == "kept"
    assert ingest.lines(refused)[-1].endswith('ote accept google_region_carbon --reason "..."')
    unreadable = settle(tmp_path, google(FAULTS["a column renamed"][0]))
    assert not [line for line in ingest.lines(unreadable) if "ote accept" in line]
    assert settle(tmp_path, moved) == refused
    with pytest.raises(ingest.NotAcceptedError, match="reason"):
        ingest.accept(tmp_path, GOOGLE, " ")
    change = ingest.accept(tmp_path, GOOGLE, "a new method upstream")
    assert change["cells_changed"]["carbon_intensity_g_per_kwh"]["changed"] == 40
    record = snapshots.read_record(tmp_path, GOOGLE.name)
    assert record.events[-1]["reason"] == "a new method upstream"
    assert settle(tmp_path, moved).status == "unchanged"
    with pytest.raises(ingest.NotAcceptedError, match="nothing waits"):
        ingest.accept(tmp_path, GOOGLE, "again")


def test_a_manifest_names_the_bytes_and_nobody_is_asked(tmp_path: Path) -> None:
    settled = settle(tmp_path, google())
    facts = ("file", "url", "sha256", "size_bytes", "http_status", "retrieved_at", "license")
    entries = [
        {"source": GOOGLE.name, **{name: getattr(snapshot, name) for name in facts}}
        for snapshot in settled.files.values()
    ]
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"source_files": entries}))
    locked = ingest.locked(GOOGLE, snapshots.manifest(path))
    assert locked.status == "locked"
    assert dict(Files(tmp_path, locked.files)) == dict(Files(tmp_path, settled.files))
    (tmp_path / "objects" / entries[0]["sha256"]).write_bytes(b"other")
    with pytest.raises(snapshots.SnapshotMissingError, match="damaged"):
        dict(Files(tmp_path, locked.files))


@needs_upstream
def test_the_doubling_of_epochs_power_in_2026_is_caught(tmp_path: Path) -> None:
    old = (UPSTREAM / "epoch_models/vintages/2025-12/notable_ai_models.csv").read_bytes()
    with zipfile.ZipFile(UPSTREAM / "epoch_models/ai_models.zip") as archive:
        new = archive.read("notable_ai_models.csv")
    before, _ = gates.gated(ingest.parser(EPOCH)({"epoch_models/notable_ai_models.csv": old}), EPOCH)
    after, _ = gates.gated(ingest.parser(EPOCH)({"epoch_models/notable_ai_models.csv": new}), EPOCH)
    change = revisions.changed(EPOCH, {}, {}, before, after)
    said = [why for why in revisions.beyond_limits(EPOCH, change, before) if "training_power_draw_w" in why]
    assert said
    power = before.join(after, on="model", suffix=" now").select(
        ratio=pl.col("training_power_draw_w now") / pl.col("training_power_draw_w")
    )
    assert power.filter(pl.col("ratio") > 1.5).height == 45


@needs_upstream
def test_the_real_header_of_a_year_is_still_csv() -> None:
    text = (UPSTREAM / "google_region_carbon/2024.csv").read_text(encoding="utf-8")
    assert ",".join(next(csv.reader(io.StringIO(text)))) == HEADER
