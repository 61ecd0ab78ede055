"""`ote estimate --batch`: files of any size, of which every row is what a run by itself would be."""

import json
import random
import re
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import fsspec
import polars as pl
import pytest

from ote.answers import batch, delimited
from ote.answers import estimate as estimating
from ote.answers.estimate import BadRunsError
from ote.cli import estimate as command
from tests.conftest import Build, ote
from tests.store import s3_store

TODAY = date(2025, 6, 1)
TEXT = (*estimating.NAMES, "model", "metering", "started")
SCHEMA = {name: pl.String if name in TEXT else pl.Float64 for name in estimating.COLUMNS}
# Values at and beyond the limits of each column.
WRONG: dict[str, tuple[Any, ...]] = {
    "model": ("x" * 1001, "x" * 1000, "a\x01b"),
    "hardware": ("V1000", "GB200 NVL72", "Xeon CPU", "a\x01b", "x" * 1001, "TPU v3 core", "v3-8"),
    "chips": (0.0, -3.0, 1.5, 1e7, 1.1e7, 1e13),
    "training_hours": (0.0, -1.0, 87600.0, 87601.0, float("nan"), 1e15),
    "chip_hours": (0.0, -1.0, 1e11, 1.1e11, float("inf"), 100.0),
    "training_flop": (9.9e8, 1e9, 1e30, 1.1e30, -1.0, 0.0),
    "watts_per_chip": (0.0, -4.0, 5.0, 4.9, 30000.0, 30001.0, 1200.0, 0.3),
    "energy_kwh": (0.0, -1.0, 1e11, 1.1e11, 24e4, 1e8),
    "metering": ("mine\x02", "the wall"),
    "pue": (0.99, 1.0, 2.5, 2.51, 110.0, 251.0),
    "provider": ("Gogle", "AWS", "Google"),
    "cloud_region": ("us-centrall1", "frankfurt", "Iowa", "us-central1"),
    "site_country": ("Germoney", "Monaco", "DE"),
    "site_state": ("Nowhere", "Texas", "ON"),
    "carbon_intensity_g_per_kwh": (-1.0, 0.0, 1.4, 1.5, 1400.0, 1401.0),
    "started": ("2031-01-01", "2008", "20240301", "03/2024", "2025-06-01", "2025-06-02", "2026"),
}
# What problems.sql and bounds.sql can say; each has to occur among the random rows.
SAYS = (
    *("control character", "expected at most 1,000", "a known accelerator", "is a rack of", "whole number"),
    *("expected more than 0", "0 or more", "expected a number", "ten years", "is it in another unit"),
    *(
        "not FLOP/s",
        "like percent",
        "expected 1 or more",
        "expected at most 2.5",
        "a known provider",
        "a location, not",
    ),
    *(
        "a known region",
        "a known country",
        "its grid is",
        "is not a state",
        "is it per MWh",
        "like kg per kWh",
    ),
    *("in the future", "before 2009", "expected a date", "one accelerator with its host", "is rated"),
    *("chip-hours is", "of its peak", "is a region of", "us-central1 is in", "missing: give"),
    *(
        "says how an energy",
        "give only one of them",
        "chips x",
        "on 8 accelerators take",
        "has no known rated power",
    ),
)


@pytest.fixture(scope="session")
def database(build: Build) -> Path:
    return build.directory / "emissions.duckdb"


@pytest.fixture(scope="session")
def runs(database: Path) -> list[dict[str, Any]]:
    """Random runs of every kind, one in four of them with a value at or beyond a limit."""
    with duckdb.connect(str(database), read_only=True) as connection:

        def column(query: str) -> list[str]:
            return [cell for (cell,) in connection.execute(query).fetchall()]

        names = {
            "hardware": column("select alias from support.hardware_aliases order by all"),
            "provider": column("select distinct alias from support.provider_aliases order by all"),
            "cloud_region": column("select region from regions order by all"),
            "site_country": column("select alias from support.countries order by all"),
        }
    chance = random.Random(31)
    return [_run(chance, names) for _ in range(6000)]


def _run(chance: random.Random, names: dict[str, list[str]]) -> dict[str, Any]:
    run: dict[str, Any] = dict.fromkeys(estimating.COLUMNS)
    run["model"] = chance.choice([None, f"run {chance.randrange(10**6)}", "=sum(a)", "a\tb"])
    if chance.random() < 0.9:
        usual = ["H100", "A100", "V100", "TPU v4", "T4", "RTX 4090", "MI250X"]
        run["hardware"] = chance.choice(usual if chance.random() < 0.6 else names["hardware"])
    run |= _work(chance)
    if chance.random() < 0.1:
        run["watts_per_chip"] = chance.choice([150.0, 300.0, 400.0, 700.0])
    if chance.random() < 0.15:
        run["pue"] = round(chance.uniform(1, 2.4), 2)
    if chance.random() < 0.15:
        run["carbon_intensity_g_per_kwh"] = round(chance.uniform(2, 1300), 1)
    if chance.random() < 0.8:
        place = chance.choice(["cloud_region", "cloud_region", "site_country", "provider"])
        run[place] = chance.choice(names[place])
    elif chance.random() < 0.5:
        run |= {"site_state": chance.choice(["Texas", "CA-QC", "ny"]), "site_country": None}
    day = datetime(2016, 1, 1) + timedelta(minutes=chance.randrange(60 * 24 * 365 * 9))
    form = chance.choice([None, "%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M"])
    run["started"] = None if form is None else day.strftime(form)
    if chance.random() < 0.25:
        column = chance.choice(list(WRONG))
        run[column] = chance.choice(WRONG[column])
    return run


def _work(chance: random.Random) -> dict[str, Any]:
    """How much a run did, in one of the ways to give it, or in none."""
    hours = round(10 ** chance.uniform(-1, 3.5), 2)
    return chance.choice(
        [
            {"chips": chance.choice([1.0, 8.0, 64.0, 512.0]), "training_hours": hours},
            {"chip_hours": hours * 8, "chips": chance.choice([None, 8.0])},
            {"training_flop": 10 ** chance.uniform(15, 25)},
            {"energy_kwh": hours, "metering": chance.choice([None, "partly metered: GPUs", " "])},
            {"chips": chance.choice([None, 8.0]), "training_hours": hours, "chip_hours": hours * 8},
            {"chips": chance.choice([None, 8.0]), "energy_kwh": chance.choice([None, hours])},
            {"chips": 8.0, "training_hours": hours, "training_flop": 10 ** chance.uniform(15, 26)},
        ]
    )


def written(runs: list[dict[str, Any]], file: Path) -> Path:
    pl.DataFrame(runs, schema=SCHEMA, orient="row").write_parquet(file)
    return file


def rejected(file: Path) -> list[tuple[str, ...]]:
    return pl.read_csv(file, infer_schema=False).rows()


def test_a_row_of_a_batch_is_what_all_rows_judged_and_estimated_at_once_give(
    database: Path, runs: list[dict[str, Any]], tmp_path: Path
) -> None:
    """The batch resolves each name and location once, judges few rows, and gives the same for every row."""
    source, target = written(runs, tmp_path / "runs.parquet"), tmp_path / "out.parquet"
    rejects = tmp_path / "out.rejects.csv"
    done = batch.estimate_batch(source, target, database, TODAY, full=True, rejects=str(rejects))
    together, expected = estimating.estimate_rows(runs, database, TODAY)
    bad = {reject.place.row for reject in expected}
    assert done.estimated == len(together) == len(runs) - len(bad)
    delimited.write_rejects(
        sorted(expected, key=lambda r: (r.place.row or 0, r.column, r.reason)), tmp_path / "expected.csv"
    )
    assert rejected(rejects) == rejected(tmp_path / "expected.csv")
    assert done.problems == len(expected)
    rows = pl.read_parquet(target).to_dicts()
    assert [row.pop("row") for row in rows] == [n for n in range(1, len(runs) + 1) if n not in bad]
    assert [estimating.nested(row) for row in rows] == together
    says = "\n".join(reject.reason for reject in expected)
    assert [what for what in SAYS if what not in says] == []


def test_a_row_of_a_batch_is_what_the_run_alone_gives(
    database: Path, runs: list[dict[str, Any]], tmp_path: Path
) -> None:
    target = tmp_path / "out.parquet"
    batch.estimate_batch(
        written(runs, tmp_path / "runs.parquet"), target, database, TODAY, full=True, rejects=""
    )
    rows = {row.pop("row"): row for row in pl.read_parquet(target).to_dicts()}
    for number in random.Random(1).sample(sorted(rows), 25):
        alone = estimating.estimate_run(runs[number - 1], database, TODAY)
        assert estimating.nested(rows[number]) == alone, runs[number - 1]


def test_a_row_that_no_clock_can_reach_costs_itself(database: Path, tmp_path: Path) -> None:
    """Hours beyond what dates can hold, and chip-hours of no chip, next to a start."""
    known = {"hardware": "V100", "chips": 8.0, "site_country": "DE", "started": "2021-03"}
    wrong = [known | {"training_hours": 1e15}, known | {"chips": 0.0, "chip_hours": 5.0}]
    source = written([*wrong, known | {"training_hours": 10.0}], tmp_path / "runs.parquet")
    done = batch.estimate_batch(source, tmp_path / "out.parquet", database, TODAY)
    said = [line.split(", ", 1)[1].split(":")[0] for line in done.first_problems]
    assert said == ["row 1, training_hours", "row 2, chips"]
    assert pl.read_parquet(tmp_path / "out.parquet")["row"].to_list() == [3]


def test_the_full_result_adds_the_year_and_source_of_each_factor(
    database: Path, runs: list[dict[str, Any]], tmp_path: Path
) -> None:
    source = written(runs[:200], tmp_path / "runs.parquet")
    for name, full in (("narrow", False), ("full", True)):
        batch.estimate_batch(source, tmp_path / f"{name}.parquet", database, TODAY, full=full)
    narrow, wide = (pl.read_parquet(tmp_path / f"{name}.parquet") for name in ("narrow", "full"))
    assert narrow.equals(wide.select(narrow.columns))
    more = set(wide.columns) - set(narrow.columns)
    always = {"gross_factor_year"}  # a report gives the year of the grid
    assert more == {name for name in wide.columns if name.endswith(batch.SOURCES)} - always
    assert {"pue_factor_year", "gross_source_url", "net_source_locator"} <= more


def test_parquet_files_of_a_folder_are_one_batch(
    database: Path, runs: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Also where a file lacks a column; a folder gets a file of each, a file gets all of them."""
    (tmp_path / "in" / "year=2024").mkdir(parents=True)
    written(runs[:300], tmp_path / "in" / "a.parquet")
    pl.DataFrame(runs[300:700], schema=SCHEMA, orient="row").drop("pue").write_parquet(
        tmp_path / "in" / "year=2024" / "b.parquet"
    )
    without = [*runs[:300], *(run | {"pue": None} for run in runs[300:700])]
    batch.estimate_batch(
        written(without, tmp_path / "one.parquet"), tmp_path / "one.out.parquet", database, TODAY
    )
    expected = pl.read_parquet(tmp_path / "one.out.parquet")
    for address in (tmp_path / "in", tmp_path / "in" / "**" / "*.parquet"):
        rejects, target = tmp_path / "rejects.csv", tmp_path / "all.parquet"
        batch.estimate_batch(address, target, database, TODAY, rejects=str(rejects))
        assert pl.read_parquet(target).equals(expected)
    places = pl.read_csv(rejects)
    assert set(places["file"]) == {
        str(tmp_path / "in" / "a.parquet"),
        str(tmp_path / "in" / "year=2024" / "b.parquet"),
    }
    assert (places.group_by("file").agg(pl.col("row").max())["row"] <= 400).all()
    batch.estimate_batch(tmp_path / "in", tmp_path / "out", database, TODAY)
    parts = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert parts == ["part-00000.parquet", "part-00001.parquet"]
    assert pl.concat([pl.read_parquet(tmp_path / "out" / part) for part in parts]).equals(expected)
    with pytest.raises(BadRunsError, match="holds Parquet files already"):
        batch.estimate_batch(tmp_path / "in", tmp_path / "out", database, TODAY)


@pytest.fixture(params=["memory://", "s3://"])
def bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty folder of a store that fsspec knows."""
    with s3_store("runs") as (_, environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        fsspec.get_filesystem_class("s3").clear_instance_cache()  # and the credentials of other tests
        yield f"{request.param}runs"
    fsspec.filesystem("memory").store.clear()


def test_addresses_are_read_and_written_through_fsspec(
    database: Path, runs: list[dict[str, Any]], tmp_path: Path, bucket: str
) -> None:
    source, (store, _) = written(runs[:300], tmp_path / "runs.parquet"), fsspec.core.url_to_fs(bucket)
    batch.estimate_batch(source, tmp_path / "out.parquet", database, TODAY, rejects=str(tmp_path / "r.csv"))
    store.pipe_file(f"{bucket}/in/a.parquet", source.read_bytes())
    for address in (f"{bucket}/in/a.parquet", f"{bucket}/in/*.parquet", f"{bucket}/in"):
        target, rejects = f"{bucket}/out.parquet", f"{bucket}/out.rejects.csv"
        batch.estimate_batch(address, target, database, TODAY, rejects=rejects)
        assert store.cat_file(target) == (tmp_path / "out.parquet").read_bytes()
        assert store.cat_file(rejects) == (tmp_path / "r.csv").read_bytes()
    batch.estimate_batch(f"{bucket}/in", f"{bucket}/parts", database, TODAY)
    assert store.cat_file(f"{bucket}/parts/part-00000.parquet") == (tmp_path / "out.parquet").read_bytes()


class Files(SimpleHTTPRequestHandler):
    """A web server of a folder, which has no Range and takes no files; some of it is broken."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def send_head(self) -> Any:
        """Fail for a file of this name."""
        if self.path.startswith("/broken"):
            self.send_error(500)
            return None
        return super().send_head()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """The address of a web server of the folder of the test."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_files_of_a_web_server_are_read(
    database: Path, runs: list[dict[str, Any]], tmp_path: Path, web: str
) -> None:
    """It cannot say when a file changed, so Parquet files are copied first."""
    (tmp_path / "in").mkdir()
    source = written(runs[:300], tmp_path / "in" / "a.parquet")
    written(runs[300:500], tmp_path / "in" / "b.parquet")
    (tmp_path / "runs.csv").write_text("energy_kwh,pue\n5,1.1\n", encoding="utf-8")
    for given, address in (
        (source, "in/a.parquet"),
        (tmp_path / "in", "in/*.parquet"),
        (tmp_path / "in", "in/"),
    ):
        for name, runs_of in (("here", given), ("there", f"{web}/{address}")):
            target, rejects = tmp_path / f"{name}.parquet", tmp_path / f"{name}.rejects.csv"
            batch.estimate_batch(runs_of, target, database, TODAY, rejects=str(rejects))
        assert (tmp_path / "there.parquet").read_bytes() == (tmp_path / "here.parquet").read_bytes()
        said = (tmp_path / "there.rejects.csv").read_text(encoding="utf-8")
        assert said.replace(web, str(tmp_path)) == (tmp_path / "here.rejects.csv").read_text(encoding="utf-8")
    assert batch.estimate_file(f"{web}/runs.csv", tmp_path / "out.parquet", database, TODAY) == 1


def test_a_store_that_fails_is_named_with_its_answer(database: Path, tmp_path: Path, web: str) -> None:
    source = written([{"energy_kwh": 1.0}], tmp_path / "runs.parquet")
    for given, target, says in (
        (
            f"{web}/nothing.parquet",
            "out.parquet",
            "/nothing.parquet: there is no such file; check the address",
        ),
        (f"{web}/broken.parquet", "out.parquet", "/broken.parquet: cannot be .*500"),
        ("http://127.0.0.1:1/a.parquet", "out.parquet", "a.parquet: cannot be listed: "),
        (source, f"{web}/out.parquet", "/out.parquet: cannot be written: .*501"),
        (source, "nothing://out.parquet", "nothing://out.parquet: cannot be opened: Protocol not known"),
    ):
        out = target if "://" in target else tmp_path / target
        done = ote("estimate", "--batch", given, "--out", out, "--database", database)
        assert done.returncode == 2, done.stderr
        assert re.search(says, done.stderr), done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("memory://nowhere/a.parquet", "there is no such file"),
        ("nothing://a.parquet", "cannot be opened"),
        ("*.nothing.parquet", "there is no file in it"),
    ],
)
def test_an_address_without_files_is_refused(database: Path, tmp_path: Path, address: str, says: str) -> None:
    with pytest.raises(BadRunsError, match=says):
        batch.estimate_batch(address, tmp_path / "out.parquet", database, TODAY)


@pytest.mark.parametrize("ending", ["parquet", "csv", "json"])
def test_rows_that_duckdb_puts_out_of_order_are_sorted(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """As a lookup does whose keys collide: with a million starts to the second, some do."""
    source = written([{"energy_kwh": float(n)} for n in range(1, 100)], tmp_path / "runs.parquet")
    query = estimating.query
    turned = "select * from ({}) order by row_number desc"
    target, turn = tmp_path / f"out.{ending}", tmp_path / f"turned.{ending}"
    assert batch.estimate_batch(source, target, database, TODAY).estimated == 99
    monkeypatch.setattr(
        estimating, "query", lambda name: turned.format(query(name)) if name == "estimates" else query(name)
    )
    assert batch.estimate_batch(source, turn, database, TODAY).estimated == 99
    assert turn.read_bytes() == target.read_bytes()
    monkeypatch.setattr(batch, "SORTED", "")
    with pytest.raises(AssertionError, match="out of order"):
        batch.estimate_batch(source, tmp_path / f"wrong.{ending}", database, TODAY)
    assert not (tmp_path / f"wrong.{ending}").exists()


@pytest.mark.parametrize(("order", "sorts"), [("asc", False), ("desc", True)])
def test_of_many_starts_the_order_is_known_before_writing(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str, sorts: bool
) -> None:
    source = written([{"energy_kwh": float(n)} for n in range(1, 100)], tmp_path / "runs.parquet")
    query, ordered = estimating.query, f"select * from ({{}}) order by row_number {order}"
    monkeypatch.setattr(
        estimating, "query", lambda name: ordered.format(query(name)) if name == "estimates" else query(name)
    )
    monkeypatch.setattr(batch, "MANY_KEYS", 1)
    watched = mock.Mock(wraps=batch._copied)
    monkeypatch.setattr(batch, "_copied", watched)
    batch.estimate_batch(source, tmp_path / "out.parquet", database, TODAY)
    ((_, asked, *_),) = (call.args for call in watched.call_args_list)
    assert asked.endswith(batch.SORTED) == sorts


def test_cells_of_any_type_are_read_as_their_text(database: Path, tmp_path: Path) -> None:
    at = datetime(2022, 1, 1, 4, tzinfo=UTC)
    typed = {
        "hardware": pl.Series(["V100"], dtype=pl.Categorical),
        "chips": pl.Series([8], dtype=pl.UInt8),
        "training_hours": pl.Series([Decimal("10.1")], dtype=pl.Decimal(10, 2)),
        "pue": pl.Series([1.1], dtype=pl.Float32),
        "started": pl.Series([at.replace(tzinfo=None)]),
    }
    for started in (typed["started"], pl.Series([at]), pl.Series([at.date()]), pl.Series([2022])):
        pl.DataFrame(typed | {"started": started}).write_parquet(tmp_path / "runs.parquet")
        batch.estimate_file(tmp_path / "runs.parquet", tmp_path / "out.parquet", database, TODAY)
        (row,) = pl.read_parquet(tmp_path / "out.parquet").to_dicts()
        known = {"hardware": "V100", "chips": 8, "training_hours": 10.1, "started": "2022-01-01"}
        if started.dtype == pl.Int64:
            known["started"] = "2022"
        alone = estimating.estimate_run(known | {"pue": float(typed["pue"][0])}, database, TODAY)
        assert {name: row[name] for name in ("chips", "energy_mwh", "co2e_gross_t", "run_year")} == {
            name: alone[name] for name in ("chips", "energy_mwh", "co2e_gross_t", "run_year")
        }
    pl.DataFrame({"chips": [[8]], "training_hours": [10]}).write_parquet(tmp_path / "runs.parquet")
    with pytest.raises(BadRunsError, match=r"chips: BIGINT\[\], expected text or a number"):
        batch.estimate_file(tmp_path / "runs.parquet", tmp_path / "out.parquet", database, TODAY)


def test_notes_count_the_runs_that_they_are_on(database: Path, tmp_path: Path) -> None:
    known = {"hardware": "A100", "chips": 8.0, "site_country": "DE"}
    source = written(
        [known | {"training_hours": hours} for hours in (1.0, 2.0, -1.0)] + [{"energy_kwh": 1.0}],
        tmp_path / "runs.parquet",
    )
    done = batch.estimate_batch(source, tmp_path / "out.parquet", database, TODAY)
    (note,) = done.notes
    assert re.match("2 runs(?: on NVIDIA A100 .*)?: The name can mean several variants", note)


def test_rejects_next_to_runs_of_the_same_name_are_named_once(database: Path, tmp_path: Path) -> None:
    """The estimates of runs.parquet in runs.json leave their rejects where an import leaves its own."""
    source = written([{"energy_kwh": 1.0}, {"energy_kwh": -1.0}], tmp_path / "runs.parquet")
    rejects = tmp_path / "runs.rejects.csv"
    for _ in range(2):
        done = ote(
            "estimate", "--batch", source, "--out", source.with_suffix(".json"), "--database", database
        )
        assert done.stderr.startswith(f"1 problem; the row with it is left out (all in {rejects}):")
        assert len(rejects.read_text(encoding="utf-8").splitlines()) == 2


def test_the_command_reports_speed_and_rejects(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = written([{"energy_kwh": 1.0}, {"energy_kwh": -1.0}], tmp_path / "runs.parquet")
    target = tmp_path / "out.json"
    done = ote("estimate", "--batch", source, "--out", target, "--database", database)
    assert done.stdout == f"1 run estimated: {target}\n"
    assert done.stderr.startswith(
        f"1 problem; the row with it is left out (all in {tmp_path / 'out.rejects.csv'}):"
    )
    assert [row["row"] for row in json.loads(target.read_text(encoding="utf-8"))] == [1]
    report = ote("report", target)
    assert (report.returncode, "energy" in report.stdout) == (0, True), report.stderr
    monkeypatch.setattr(command, "MANY", 1)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    command._estimate_batch(str(source), str(target), database, strict=False, full=False)
    told = capsys.readouterr()
    assert "runs per second" in told.out
    assert "rows per second" in told.err
