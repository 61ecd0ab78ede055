"""What an update takes of the upstreams: faults of servers and files, limits, acceptance, what is written."""

import csv
import hashlib
import io
import json
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from ote import catalog
from ote.catalog import Source
from ote.ingestion import baseline, row_checks
from ote.sources import epa_egrid, epoch_hardware, epoch_models
from ote.update import fetch, files, progress, revisions, rows
from ote.update.rows import Candidate
from tests.conftest import BASELINE, REFERENCE, UPSTREAM, commit, needs_upstream, ote
from tests.faults import Answer, closed_port, redirect, serve

GOOGLE = catalog.sources()["google_region_carbon"]
EPOCH = catalog.sources()["epoch_models"]
EGRID = catalog.sources()["epa_egrid"]
HEADER = ["Google Cloud Region", "Location", "Google CFE", "Grid carbon intensity (gCO2eq / kWh)"]
ACCEPTED = baseline.load(BASELINE, GOOGLE)[0]
YEARS = sorted(baseline.files(BASELINE)[GOOGLE.name])
LAST = max(file for file in YEARS if file not in GOOGLE.optional)
YEAR = int(Path(LAST).stem)
NEXT = f"{GOOGLE.name}/{int(Path(YEARS[-1]).stem) + 1}.csv"
INTENSITY = pl.col("carbon_intensity_g_per_kwh")
SHARE = pl.col("cfe_fraction")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "PAUSE_S", 0.01)
    monkeypatch.setattr(fetch, "READ_S", 0.5)


def of(file: str) -> pl.DataFrame:
    """The accepted rows of a year, in the columns of its file."""
    year = int(Path(file).stem)
    return ACCEPTED.filter(year=year).select("region", "location", SHARE, INTENSITY)


def written(frame: pl.DataFrame, header: list[str] = HEADER) -> bytes:
    """A year's file."""
    return frame.rename(dict(zip(frame.columns, header, strict=True))).write_csv().encode()


GOOD = written(of(LAST))
ONE = of(LAST)["region"][0]


def google(last: Answer | None = None) -> dict[str, Answer]:
    """All years as they were accepted; the last one as given."""
    answers = {f"/{file}": Answer(written(of(file))) for file in YEARS}
    return answers | ({f"/{LAST}": last} if last else {})


def taken(folder: Path, answers: Mapping[str, Answer], *, refetch: bool = False) -> Candidate:
    """What an update would make of Google's files."""
    known = baseline.files(BASELINE)[GOOGLE.name]
    with serve(answers) as server:
        mirror = files.Server(mirror=server.url)
        fetched = files.ask(folder, GOOGLE, mirror, known, refetch=refetch)
    return rows.candidate(GOOGLE, fetched, BASELINE, refetch=refetch)


def bytes_of(*folders: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*.*")}


UNREADABLE: dict[str, tuple[Answer, str]] = {
    "404": (Answer(b"gone\n", 404), "404"),
    "410": (Answer(b"gone\n", 410), "410"),
    "403": (Answer(b"no\n", 403), "403"),
    "429 for a day": (Answer(b"", 429, {"Retry-After": "86400"}), "429"),
    "503": (Answer(b"", 503), "503"),
    "HTML for CSV": (Answer(b"<!doctype html><p>Sign in"), "markup"),
    "redirect to HTML": (redirect("/login"), "404"),
    "redirect to another host": (redirect("http://example.org/x.csv"), "example.org"),
    "an empty body": (Answer(b""), "no bytes"),
    "cut against its length": (Answer(GOOD, fault="cut"), "cut after"),
    "cut in a row": (Answer(GOOD.rsplit(b",", 1)[0]), "3 cells"),
    "reset": (Answer(GOOD, fault="reset"), "reset"),
    "another character set": (Answer(GOOD.replace(b"Johannesburg", "Zürich".encode("latin-1"))), "UTF-8"),
    "a column renamed": (Answer(GOOD.replace(b"Google CFE", b"Clean")), "cfe_fraction"),
    "a column dropped": (
        Answer(written(of(LAST).drop("cfe_fraction"), [*HEADER[:2], HEADER[3]])), "cfe_fraction"
    ),
    "a ragged row": (Answer(GOOD + b"only,three,cells\n"), "3 cells"),
    "304 without a known version": (Answer(status=304), "304"),
}  # fmt: skip
MOVED = written(of(LAST).with_columns(INTENSITY * 2.5))
SUSPECT: dict[str, tuple[Answer, str]] = {
    "percent for fraction": (Answer(written(of(LAST).with_columns(SHARE * 100))), "Above 1"),
    "kg for g": (Answer(written(of(LAST).with_columns(INTENSITY / 1000))), "carbon_intensity_g_per_kwh"),
    "values moved by two and a half": (Answer(MOVED), "by a factor above"),
    "half the rows gone": (Answer(written(of(LAST).head(20))), "gone"),
    "all rows gone": (Answer((",".join(HEADER) + "\n").encode()), "gone"),
    "every key twice": (Answer(GOOD + GOOD.split(b"\n", 1)[1]), "The same key"),
    "all values lost": (Answer(written(of(LAST).with_columns(carbon_intensity_g_per_kwh=None))), "changed"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_fetched_or_read_is_no_candidate_and_says_what_came(name: str, tmp_path: Path) -> None:
    answer, says = UNREADABLE[name]
    found = taken(tmp_path, google(answer))
    assert says in found.problem
    assert "\n" not in found.problem
    assert (found.is_new, found.rows.height) == (False, 0)


@pytest.mark.parametrize("name", SUSPECT)
def test_a_change_beyond_the_limits_says_which_one(name: str, tmp_path: Path) -> None:
    answer, says = SUSPECT[name]
    found = taken(tmp_path, google(answer))
    assert found.problem == ""
    assert any(says in text for text in found.exceeded), found.exceeded


@pytest.mark.parametrize("factor", [1 / 2.1, 2.1, 1000, 1 / 1000])
def test_all_values_of_a_new_year_wrong_by_a_factor_are_beyond_the_limits(
    factor: float, tmp_path: Path
) -> None:
    """No accepted row has that year: only the year before says what it should be like."""
    answers = google() | {f"/{NEXT}": Answer(written(of(YEARS[-1]).with_columns(INTENSITY * factor)))}
    assert taken(tmp_path, answers).exceeded


HARMLESS: dict[str, Callable[[bytes], bytes]] = {
    "a byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "CRLF": lambda body: body.replace(b"\n", b"\r\n"),
    "a quoted newline": lambda body: body.replace(b",Johannesburg,", b',"Johannes\nburg",', 1),
    "a column added": lambda body: (
        b"\n".join(line + (b",new" if i == 0 else b",1") for i, line in enumerate(body.split(b"\n")[:-1]))
        + b"\n"
    ),
    "columns reordered": lambda body: pl.read_csv(body).select(reversed(HEADER)).write_csv().encode(),
    "rows reordered": lambda body: pl.read_csv(body).reverse().write_csv().encode(),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_not_change_the_facts_is_within_the_limits(name: str, tmp_path: Path) -> None:
    changed = HARMLESS[name](GOOD)
    assert changed != GOOD
    found = taken(tmp_path, google(Answer(changed)))
    assert (found.problem, found.exceeded, found.is_new) == ("", [], True)
    assert found.rows.drop("location").sort("region", "year").equals(ACCEPTED.drop("location"))


def test_nobody_there_is_one_line_and_few_requests(tmp_path: Path) -> None:
    fetched = files.ask(tmp_path, GOOGLE, files.Server(mirror=closed_port()), {})
    assert 1 <= len(fetched.problems) <= files.AT_ONCE
    assert "\n" not in rows.candidate(GOOGLE, fetched, BASELINE).problem


def test_each_source_of_a_host_that_is_not_there_names_its_own_address(tmp_path: Path) -> None:
    server = files.Server(mirror=closed_port())
    for name in ("google_region_carbon", "epa_egrid", "mlperf_training", "carboncast_hourly"):
        source = catalog.sources()[name]
        own = (*(f"{server.mirror}/{file}: " for file in source.files), f"the other files of {name} ")
        problems = files.ask(tmp_path, source, server, {}, refetch=True).problems
        assert problems
        assert all(problem.startswith(own) for problem in problems), problems


def live(source: Source, address: str) -> Source:
    """A source whose own servers are this machine."""
    own = {file: f"{address}/{file}" for file in source.files.keys() - source.mirror_only}
    gone = {file: source.page for file in source.mirror_only}
    return replace(source, files=own | gone, hosts=frozenset({"127.0.0.1"}))


def test_a_live_server_is_asked_whether_its_file_changed_and_sends_it_only_then(tmp_path: Path) -> None:
    answers = {f"/{file}": [Answer(written(of(file)), etag='"1"')] for file in YEARS}
    with serve(answers) as server:
        source = live(GOOGLE, server.url)
        first = files.ask(tmp_path / "first", source, files.Server(), {})
        assert files.ask(tmp_path / "again", source, files.Server(), first.files).files == first.files
        assert list((tmp_path / "again").iterdir()) == []
        asked = server.headers[f"/{YEARS[0]}"]
        assert [request.get("if-none-match") for request in asked] == [None, '"1"']
        server.answers[f"/{LAST}"][:] = [Answer(GOOD + b"x,X,0.5,400\n", etag='"2"')]
        newer = files.ask(tmp_path / "newer", source, files.Server(), first.files)
    assert first.problems == newer.problems == []
    assert [f for f in YEARS if newer.files[f].sha256 != first.files[f].sha256] == [LAST]
    assert dict(files.Bytes(tmp_path / "newer", newer.files))[YEARS[0]] == written(of(YEARS[0]))


def test_the_same_bytes_are_no_news_unless_every_byte_is_asked_for(tmp_path: Path) -> None:
    """The accepted file lists no bytes that this server has; those of a first answer are known here."""
    with serve(google()) as server:
        fetched = files.ask(tmp_path, GOOGLE, files.Server(mirror=server.url), {})
    folder = tmp_path / "baseline"
    folder.mkdir()
    listed = baseline.records_bytes(fetched.files.values(), ("source", "file"))
    (folder / baseline.FILES).write_bytes(listed)
    (folder / "google_region_carbon.csv").write_bytes((BASELINE / "google_region_carbon.csv").read_bytes())
    assert not rows.candidate(GOOGLE, fetched, folder).is_new
    again = rows.candidate(GOOGLE, fetched, folder, refetch=True)
    assert again.is_new
    assert (again.change["cells_changed"], again.exceeded) == ({}, [])


def test_a_bad_row_is_quarantined_by_name_and_the_accepted_one_stays(tmp_path: Path) -> None:
    bad = of(LAST).with_columns(INTENSITY.cast(pl.String)).with_columns(
        pl.when(pl.col("region") == ONE).then(pl.lit("lots")).otherwise(INTENSITY).alias(HEADER[3])
    ).drop("carbon_intensity_g_per_kwh")  # fmt: skip
    found = taken(tmp_path, google(Answer(written(bad))))
    assert found.exceeded == []
    assert found.rows.drop("location").sort("region", "year").equals(ACCEPTED.drop("location"))
    (row,) = found.quarantined.rows(named=True)
    stated = (f"{ONE} / {YEAR}", "carbon_intensity_g_per_kwh", "lots", "type")
    assert (row["row_key"], row["column_name"], row["cell"], row["check_name"]) == stated


def test_kilowatts_for_watts_are_turned_away() -> None:
    hardware = catalog.sources()["epoch_hardware"]
    columns = [column.name for column in catalog.tables()[hardware.table].columns]
    frame = pl.DataFrame({name: [None, None] for name in columns}).with_columns(
        name=pl.Series(["W", "kW"]), tdp_w=pl.Series([700.0, 0.7])
    )
    kept, quarantined = row_checks.checked(frame, hardware)
    assert kept["name"].to_list() == ["W"]
    (row,) = quarantined.rows(named=True)
    assert (row["row_key"], row["column_name"], row["check_name"]) == ("kW", "tdp_w", "range")
    assert "kW" in row["message"]


def egrid(year: int, frame: pl.DataFrame) -> bytes:
    """A year's map as EPA has it, from accepted rows."""

    def place(row: dict[str, Any]) -> dict[str, Any]:
        rates = {
            name: {"value": row[column], "units": "lb/MWh"}
            for name, column in (
                ("co2EmissionRate", "co2_lb_per_mwh"),
                ("co2eEmissionRate", "co2e_lb_per_mwh"),
            )
        }
        return {
            "name": epa_egrid.NATIONAL if row["region"] == "US" else row["region"],
            "fullName": row["location"],
            "fuelMix": {fuel: f"{100 * row[column]:.4f}" for column, fuel in epa_egrid.MIX.items()},
            "gridLoss": {"value": row["grid_loss_fraction"]},
            "emissionFactor": rates,
        }

    return json.dumps(
        {"features": [{"properties": place(row)} for row in frame.filter(year=year).to_dicts()]}
    ).encode()


def test_the_years_of_egrid_without_a_live_address_stay_as_accepted(tmp_path: Path) -> None:
    accepted, known = baseline.load(BASELINE, EGRID)[0], baseline.files(BASELINE)[EGRID.name]
    kept = {int(file[-9:-5]) for file in EGRID.mirror_only}
    assert kept == {2019, 2021, 2022}
    answers = {
        f"/{file}": Answer(egrid(int(file[-9:-5]), accepted))
        for file in EGRID.files.keys() - EGRID.mirror_only
    }
    with serve(answers) as server:
        source = live(EGRID, server.url)
        unasked = files.ask(tmp_path, source, files.Server(), known)
        assert (unasked.files, unasked.unasked) == (known, files.PINNED)
        assert not server.requests, "an address that names a commit is not asked twice"
        fetched = files.ask(tmp_path, source, files.Server(), known, refetch=True)
    assert fetched.problems == []
    assert fetched.unasked == f"not fetched, without a live address: {', '.join(sorted(EGRID.mirror_only))}"
    assert {file: fetched.files[file] for file in EGRID.mirror_only} == {
        f: known[f] for f in EGRID.mirror_only
    }
    found = rows.candidate(EGRID, fetched, BASELINE, refetch=True)
    assert found.exceeded == []
    assert found.rows.filter(pl.col("year").is_in(kept)).equals(accepted.filter(pl.col("year").is_in(kept)))
    assert found.rows.height == accepted.height


@needs_upstream
def test_the_doubling_of_epochs_power_in_2026_is_caught(tmp_path: Path) -> None:
    old = (UPSTREAM / "epoch_models/vintages/2025-12/notable_ai_models.csv").read_bytes()
    with zipfile.ZipFile(UPSTREAM / "epoch_models/ai_models.zip") as archive:
        new = archive.read("notable_ai_models.csv")
    before, after = (
        row_checks.checked(rows.parser(EPOCH)({"epoch_models/notable_ai_models.csv": content}), EPOCH)[0]
        for content in (old, new)
    )
    change = revisions.changed(EPOCH, before, after)
    said = [why for why in revisions.beyond_limits(EPOCH, change, before) if "training_power_draw_w" in why]
    assert said
    power = before.join(after, on="model", suffix=" now").select(
        ratio=pl.col("training_power_draw_w now") / pl.col("training_power_draw_w")
    )
    assert power.filter(pl.col("ratio") > 1.5).height == 45


@needs_upstream
def test_the_real_header_of_a_year_is_still_csv() -> None:
    text = (UPSTREAM / "google_region_carbon/2024.csv").read_text(encoding="utf-8")
    assert next(csv.reader(io.StringIO(text))) == HEADER


# The command.


def update(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """`ote update` on copies of the accepted rows and the facts."""
    places = ("--baseline", folder / "baseline", "--reference", folder / "reference")
    return ote("update", *arguments, *places, "--warehouse", folder / "warehouse")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Copies of the accepted rows and of the register of names."""
    for source, name in ((BASELINE, "baseline"), (REFERENCE, "reference")):
        (tmp_path / name).mkdir()
        for file in source.iterdir():
            (tmp_path / name / file.name).write_bytes(file.read_bytes())
    return tmp_path


def zip_out_of_its_folder() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../all_ai_models.csv", "Model\nGPT-3\n")
    return buffer.getvalue()


BROKEN: dict[str, tuple[Answer, str]] = {
    "epoch_models": (Answer(zip_out_of_its_folder()), "epoch_models"),
    "google_region_carbon": (Answer(b"", 503), "503"),
    "epoch_hardware": (Answer(b"<!doctype html><title>Sign in</title>"), "markup"),
    "epoch_data_centers": (Answer(b"no", 403), "403"),
    "owid_electricity": (Answer(b""), "no bytes"),
    "epa_egrid": (redirect("http://example.org/x.json"), "example.org"),
    "carboncast_hourly": (Answer(b"UTC time,carbon_intensity\n" * 99, fault="cut"), "cut after"),
    "eia930_hourly": (Answer(b"gone", 410), "410"),
    "mlperf_training": (Answer(b"", 429, {"Retry-After": "86400"}), "429"),
}


def broken(*names: str) -> dict[str, Answer]:
    """Every file of some sources, as the fault of its source has it."""
    return {
        f"/{file}": BROKEN[name][0]
        for name in names
        for file in [*catalog.sources()[name].files, *catalog.sources()[name].fallback]
    }


def test_faults_of_all_sources_are_a_line_each_and_nothing_is_written(folder: Path) -> None:
    before = bytes_of(folder)
    with serve(broken(*BROKEN)) as server:
        done = update(folder, "--mirror", server.url, "--refetch")
    assert done.returncode == 2, done.stderr
    assert done.stderr.endswith("Nothing was updated: no source could be fetched and read.\n")
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stdout.splitlines() if line]
    assert len(lines) == len(BROKEN) == len(catalog.sources())
    for line, name in zip(lines, catalog.sources(), strict=True):
        assert line.startswith(f"{name}: kept as accepted; ")
        assert BROKEN[name][1] in line
    after = bytes_of(folder / "baseline", folder / "reference")
    assert after == {name: content for name, content in before.items() if name in after}
    assert len(after) == len(before)


def epoch(frame: pl.DataFrame) -> bytes:
    """The zip as Epoch has it, from accepted rows."""
    header = {name: spellings[0] for name, spellings in epoch_models.SPELLINGS.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member in epoch_models.MEMBERS:
            cells = frame.filter(file=member).select(*header).rename(header)
            archive.writestr(member, cells.write_csv())
    return buffer.getvalue()


NEW = {
    "Dated 2099": {"published_date": "2099-01-01", "upstream_training_flop": "1e22"},
    "Impossible hours": {
        "published_date": "2024-05-01",
        "hardware": "NVIDIA A100",
        "chips": "90000000",
        "training_hours": "19000",
    },
    "A sound new model": {"published_date": "2024-05-01", "upstream_training_flop": "1e22"},
}


EDITED = {
    "HyperCLOVA 204B": {"hardware": "NVIDIA P100"},  # 15 times the chip-hours of an A100 for the same FLOP
    "TigerBot-70B": {"upstream_parameters": "105000000000"},
}


def newer_models() -> bytes:
    """The accepted models with two edits, and three new models, of which one is sound."""
    accepted = baseline.load(BASELINE, EPOCH)[0].cast(pl.String)
    for name, cells in EDITED.items():
        is_edited = pl.col("model") == name
        accepted = accepted.with_columns(
            pl.when(is_edited).then(pl.lit(cell)).otherwise(column).alias(column)
            for column, cell in cells.items()
        )
    new = [
        {"model": name, "organizations": "Google", "domain": "Language", "file": epoch_models.MEMBERS[0]}
        | {"source_link": "https://example.org/" + name.split()[0]} | cells
        for name, cells in NEW.items()
    ]  # fmt: skip
    return epoch(pl.concat([accepted, pl.DataFrame(new, schema=accepted.schema)]))


def test_an_update_within_the_limits_is_written_with_a_report(folder: Path) -> None:
    """And what is wrong with single rows, or a whole source, costs these alone."""
    moved = of(LAST).with_columns(pl.when(pl.col("region") == ONE).then(INTENSITY * 1.1).otherwise(INTENSITY))
    sources = ("epoch_models", "google_region_carbon", "owid_electricity")
    answers = google(Answer(written(moved))) | broken("owid_electricity")
    answers[f"/{epoch_models.ZIP}"] = Answer(newer_models())
    before = bytes_of(folder)
    options = ("--retrieved", "2026-11-01", "--keep", folder / "kept")
    with serve(answers) as server:
        done = update(folder, *sources, "--mirror", server.url, *options)
        assert done.returncode == 0, done.stderr
        again = update(folder, *sources, "--mirror", server.url, *options)
    models, places, absent = done.stdout.splitlines()[:3]
    assert models.startswith("epoch_models: 1 row added, 0 gone, 1 cell changed, ")
    assert places.startswith("google_region_carbon: 0 rows added, 0 gone, 1 cell changed, 0 quarantined; ")
    assert absent.startswith("owid_electricity: kept as accepted; ")
    assert "no bytes" in absent
    assert f"Rewritten: {folder / 'baseline'}. Review" in done.stdout

    written_now = {
        Path(path).name for path, content in bytes_of(folder).items() if before.get(path) != content
    } - {"build.lock"}
    assert written_now >= {"epoch_models.csv", "google_region_carbon.csv", "manifest.csv", "files.csv",
                           "quarantine.csv", "drift.csv", "update.md", "update.csv",
                           "model_names.csv"}  # fmt: skip
    assert not written_now & {f"{name}.csv" for name in catalog.sources()} - {f"{n}.csv" for n in sources[:2]}

    lost = baseline.listed_quarantine(folder / "baseline").filter(pl.col("row_key").is_in([*NEW, *EDITED]))
    reasons = {row["row_key"]: row for row in lost.to_dicts()}
    assert set(reasons) == {"Dated 2099", "Impossible hours", "HyperCLOVA 204B"}
    assert reasons["Dated 2099"]["check_name"] in {"range", "future"}
    assert all(row["message"] for row in reasons.values())
    edit = reasons["HyperCLOVA 204B"]
    assert (edit["column_name"], edit["cell"], edit["check_name"]) == ("hardware", "NVIDIA P100", "ratio")
    assert edit["message"].startswith(
        "It was NVIDIA A100: moves the estimate of hyperclova-204b by a factor of "
    )
    rows_now = baseline.load(folder / "baseline", EPOCH)[0]
    assert rows_now.filter(model="HyperCLOVA 204B")["hardware"].to_list() == ["NVIDIA A100"]
    assert "A sound new model" in rows_now["model"]
    assert not {"Dated 2099", "Impossible hours"} & set(rows_now["model"])
    _require_cells_and_drift(folder / "baseline")

    origin = baseline.origins(folder / "baseline")["google_region_carbon"]
    content = (folder / "baseline" / "google_region_carbon.csv").read_bytes()
    assert (origin.sha256, origin.rows) == (hashlib.sha256(content).hexdigest(), ACCEPTED.height)
    assert origin.retrieved_at == "2026-11-01T00:00:00+00:00"
    assert origin.last_change.endswith(f"1 cell changed, 0 quarantined; {ACCEPTED.height} rows now")
    listed = baseline.files(folder / "baseline")["google_region_carbon"][LAST]
    assert listed.sha256 == hashlib.sha256(written(moved)).hexdigest()
    assert (folder / "kept" / listed.sha256).read_bytes() == written(moved)

    names = (folder / "reference" / "model_names.csv").read_text(encoding="utf-8")
    assert "\nA sound new model,a-sound-new-model,2024-05-01," in names
    assert "Impossible hours" not in names
    page = (folder / "baseline" / "update.md").read_text(encoding="utf-8")
    assert f"without effect: warehouse/reference/grid_intensity.csv has figures of its own for {ONE}" in page
    assert re.search(r"TigerBot-70B: 70000000000.0 to 105000000000.0 \(its energy: .*\)", page)
    for words in ("Accepted:", f"{ONE} / {YEAR}", "a-sound-new-model", "quarantined: Dated 2099", "no bytes"):
        assert words in page
    (found,) = re.findall(r"runs with an estimate: ([\d,]+) before, ([\d,]+) now", page)
    was, now = (int(count.replace(",", "")) for count in found)
    assert now == was + 1

    assert again.returncode == 0
    assert "epoch_models: unchanged\ngoogle_region_carbon: unchanged" in again.stdout
    assert again.stdout.endswith("Nothing changed in 2 sources; the baseline is as it was.\n")


def _require_cells_and_drift(folder: Path) -> None:
    """update.csv has every changed cell with its run, and drift.csv where the numbers came from."""
    cells = pl.read_csv(folder / "update.csv").to_dicts()
    named = [(cell["source"], cell["row_key"], cell["column_name"], cell["run_id"]) for cell in cells]
    assert named == [
        ("epoch_models", "TigerBot-70B", "upstream_parameters", "tigerbot-70b"),
        ("google_region_carbon", f"{ONE} / {YEAR}", "carbon_intensity_g_per_kwh", None),
    ]
    assert (cells[0]["before"], cells[0]["after"]) == (70e9, 105e9)
    assert cells[0]["energy_mwh"] > 100
    assert 0.5 < cells[0]["energy_mwh_now"] / cells[0]["energy_mwh"] < 2
    assert baseline.drift(folder).select("row_key", "cell").rows() == [
        ("TigerBot-70B", "70000000000.0"),
        (f"{ONE} / {YEAR}", f"{of(LAST)['carbon_intensity_g_per_kwh'][0]}"),
    ]


def test_a_new_source_is_fetched_by_its_first_update(folder: Path) -> None:
    """Nothing of it is accepted yet: no rows, no origin, no files."""
    source, kept = catalog.sources()["epoch_hardware"], folder / "baseline"
    rows = baseline.load(kept, source)[0]
    file = rows.rename({name: headers[0] for name, headers in epoch_hardware.SPELLINGS.items()}).write_csv()
    baseline.path_of(kept, source).unlink()
    for name in (baseline.MANIFEST, baseline.FILES):
        lines = (kept / name).read_text(encoding="utf-8").splitlines(keepends=True)
        others = [line for line in lines if not line.startswith(f"{source.name},")]
        (kept / name).write_text("".join(others), encoding="utf-8")
    with serve({f"/{epoch_hardware.FILE}": Answer(file.encode())}) as server:
        done = update(folder, source.name, "--mirror", server.url, "--accept", "It is new")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{source.name}: {rows.height} rows added, 0 gone, ")
    assert baseline.load(kept, source)[0].equals(rows)
    assert source.name in baseline.origins(kept)


def test_a_new_region_waits_until_its_country_is_known_and_is_then_compared_with_it(folder: Path) -> None:
    """Without a country and a share of carbon-free energy, nothing confirms an intensity."""
    regions, warsaw = folder / "reference" / "regions.csv", of(LAST).filter(region="europe-central2")
    new = warsaw.with_columns(region=pl.lit("europe-east1"), cfe_fraction=None)

    def updated(factor: float) -> subprocess.CompletedProcess[str]:
        given = pl.concat([of(LAST), new.with_columns(INTENSITY * factor)])
        with serve(google(Answer(written(given)))) as server:
            return update(folder, GOOGLE.name, "--refetch", "--mirror", server.url)

    def accepted() -> pl.DataFrame:
        return baseline.load(folder / "baseline", GOOGLE)[0].filter(region="europe-east1")

    done = updated(1 / 4)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{GOOGLE.name}: 0 rows added, 0 gone, 0 cells changed, 1 quarantined; ")
    (row,) = baseline.listed_quarantine(folder / "baseline").filter(check_name="country").to_dicts()
    assert (row["row_key"], row["column_name"]) == (f"europe-east1 / {YEAR}", INTENSITY.meta.output_name())
    assert "Add the region with its country to warehouse/reference/regions.csv" in row["message"]
    assert "ote update --refetch google_region_carbon" in row["message"]
    assert accepted().is_empty()

    known = pl.read_csv(regions, infer_schema=False)
    placed = known.filter(region="europe-central2").with_columns(region=pl.lit("europe-east1"))
    pl.concat([known, placed]).sort("region").write_csv(regions)
    done = updated(1 / 4)
    assert done.returncode == 2
    assert f"results: new region europe-east1, {YEAR}: " in done.stdout
    assert "(limit: 0.4 times the country)" in done.stdout
    assert updated(1).returncode == 0
    assert accepted().select(INTENSITY).equals(warsaw.select(INTENSITY))


def test_a_change_beyond_the_limits_waits_for_a_reason_which_the_report_keeps(folder: Path) -> None:
    before = bytes_of(folder)
    answer = SUSPECT["values moved by two and a half"][0]
    with serve(google(answer)) as server:
        command = ("google_region_carbon", "--mirror", server.url)
        refused = update(folder, *command)
        after = bytes_of(folder / "baseline", folder / "reference")
        assert after == {name: content for name, content in before.items() if name in after}
        done = update(folder, *command, "--accept", "Google counts imports now")
    assert refused.returncode == 2
    assert "    beyond a limit: " in refused.stdout
    report = folder / "warehouse" / "update.md"
    assert f"since a limit is exceeded; see {report}." in refused.stderr
    assert '--accept "why it is right"' in refused.stderr
    page = report.read_text(encoding="utf-8")
    assert "Not accepted: no tracked file was changed." in page
    assert "changed by a factor above " in page
    assert "## Results" in page

    assert done.returncode == 0, done.stderr
    page = (folder / "baseline" / "update.md").read_text(encoding="utf-8")
    assert "Accepted all the same, because: Google counts imports now" in page
    clean = of(LAST).sort(INTENSITY).row(0, named=True)  # of others, 2.5 times is more than any grid emits
    moved = baseline.load(folder / "baseline", GOOGLE)[0].filter(region=clean["region"], year=YEAR)
    assert moved["carbon_intensity_g_per_kwh"].to_list() == [2.5 * clean["carbon_intensity_g_per_kwh"]]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no_source"], "no_source: not a source. Sources: epoch_models, "),
        (["--mirror", "ftp://example.org"], "--mirror 'ftp://example.org': expected an address"),
        (["--retrieved", "2026-11-01"], "--retrieved: goes with --mirror"),
        (["--mirror", "http://127.0.0.1", "--retrieved", "1.11.2026"], "expected a day as YYYY-MM-DD"),
        (["--mirror", "http://127.0.0.1", "--retrieved", "2199-01-01"], "expected a day that has come"),
    ],
)
def test_bad_options_are_named(folder: Path, arguments: list[str], says: str) -> None:
    before = bytes_of(folder)
    done = update(folder, *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert bytes_of(folder) == before


def test_an_update_begins_only_on_committed_rows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GIT_DIR")
    commit(folder)
    with serve({}) as server:
        update(folder, "epoch_hardware", "--mirror", server.url)
        asked = sum(server.requests.values())
        assert asked
        (folder / "baseline" / "epoch_hardware.csv").write_text("edited")
        (folder / "baseline" / "new.csv").write_text("new")
        done = update(folder, "epoch_hardware", "--mirror", server.url)
        assert sum(server.requests.values()) == asked
    assert done.returncode == 2
    assert "has changes that are not committed: baseline/epoch_hardware.csv, baseline/new.csv" in done.stderr
    assert "git checkout" in done.stderr
    assert done.stderr.count("\n") == 1


KILLED = """
import os, pathlib, signal, sys
from ote.ingestion import baseline
honest, left = {name: getattr(pathlib.Path, name) for name in ("rename", "replace")}, [int(sys.argv[2])]
def counted(name):
    def call(self, target):
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return honest[name](self, target)
    return call
for name in honest:
    setattr(pathlib.Path, name, counted(name))
folder = pathlib.Path(sys.argv[1])
baseline.replace(folder / "baseline", {folder / "baseline" / f"{n}.csv": b"new" for n in "abc"}
    | {folder / "reference" / "names.csv": b"new"})
"""


def killed(folder: Path, after: int) -> set[str]:
    """Replace four files in a process that is killed after some renames; what the files hold then."""
    for name in ("baseline/a.csv", "baseline/b.csv", "baseline/c.csv", "reference/names.csv"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("old")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), str(after)], cwd=catalog.ROOT, check=False
    )
    assert done.returncode == (-signal.SIGKILL if after < 5 else 0)
    return held(folder)


def held(folder: Path) -> set[str]:
    paths = [*(folder / "baseline").glob("[abc].csv"), folder / "reference" / "names.csv"]
    assert len(paths) == 4
    return {path.read_text() for path in paths}


@pytest.mark.parametrize("after", range(6))
def test_killed_at_any_rename_the_files_are_all_old_or_can_all_be_made_new(
    tmp_path: Path, after: int
) -> None:
    assert killed(tmp_path, after) == ({"old"} if after < 2 else {"new"} if after > 4 else {"old", "new"})
    baseline.finish(tmp_path / "baseline")
    assert held(tmp_path) == ({"old"} if after < 1 else {"new"})
    assert not (tmp_path / baseline.READY).exists()


@pytest.fixture
def half(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Accepted rows of which an update that was killed has replaced only some; all is committed but these."""
    monkeypatch.delenv("GIT_DIR")
    for name in ("baseline/a.csv", "baseline/b.csv", "baseline/c.csv", "reference/names.csv"):
        (folder / name).write_text("old")
    commit(folder)
    assert killed(folder, 3) == {"old", "new"}
    yield folder
    assert held(folder) == {"new"}


def test_the_next_build_finishes_a_killed_update(half: Path) -> None:
    (half / "reference" / "hardware.csv").unlink()  # it ends there
    folders = ("--reference", half / "reference", "--baseline", half / "baseline")
    assert ote("build", *folders, "--warehouse", half / "warehouse").returncode == 2


def test_the_next_update_finishes_a_killed_one_and_asks_to_commit_it(half: Path) -> None:
    done = update(half, "--mirror", closed_port())
    assert done.returncode == 2
    for name in ("baseline/a.csv", "baseline/b.csv", "baseline/c.csv"):
        assert name in done.stderr
    assert "not committed" in done.stderr


class Terminal(io.StringIO):
    """What is written on a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_the_progress_shows_sizes_and_the_speed_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """6 MB in 4 s, then 8 MB in 4.1 s; within a fifth of a second only the end of a file is shown."""
    clock, terminal = iter([100.0, 104.0, 104.1, 104.1]), Terminal()
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(sys, "stderr", terminal)
    show = progress.on_terminal()
    assert show is not None
    show("a.csv", 6_000_000, 12_000_000)
    show("b.csv", 1_000_000, 2_000_000)
    show("b.csv", 2_000_000, 2_000_000)
    assert terminal.getvalue().split("\r\x1b[K")[1:] == [
        "a.csv: 6.0 of 12.0 MB; 1 file, 6.0 MB, 1.5 MB/s",
        "b.csv: 2.0 of 2.0 MB; 2 files, 8.0 MB, 2.0 MB/s",
    ]
