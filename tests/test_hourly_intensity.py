"""`ote estimate --batch --hourly-intensity`: a user's own hours, each mean worked by hand."""

import random
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ote.answers import batch
from ote.answers import estimate as estimating
from ote.answers.estimate import BadRunsError
from tests.conftest import Build, ote

TODAY = date(2025, 6, 1)
SERIES = "zone,hour_utc,carbon_intensity_g_per_kwh\n"
RUN = {"energy_kwh": "1000", "pue": "1", "site_country": "DE", "training_hours": "1"}
# Four hours of Germany: 100, 200, not known, 400.
DE = [f"DE,2024-03-01T{hour:02}:00Z,{grams}" for hour, grams in enumerate((100, 200, "", 400))]


@pytest.fixture(scope="session")
def database(build: Build) -> Path:
    return build.directory / "emissions.duckdb"


def estimated(
    database: Path, folder: Path, series: list[str], *runs: dict[str, str]
) -> tuple[dict[int, dict[str, Any]], batch.Batch]:
    """The estimates by their row, and what became of the batch."""
    rows = [RUN | run for run in runs]
    names = list(dict.fromkeys(name for run in rows for name in run))
    lines = [",".join(run.get(name, "") for name in names) for run in rows]
    (folder / "runs.csv").write_text("\n".join([",".join(names), *lines, ""]), encoding="utf-8")
    (folder / "hours.csv").write_text(SERIES + "\n".join(series) + "\n", encoding="utf-8")
    hourly = str(folder / "hours.csv")
    done = batch.estimate_batch(folder / "runs.csv", folder / "out.parquet", database, TODAY, hourly=hourly)
    return {row.pop("row"): row for row in pl.read_parquet(folder / "out.parquet").to_dicts()}, done


@pytest.mark.parametrize(
    ("start", "hours", "grams"),
    [
        ("2024-03-01T00:00Z", "1", 100),
        ("2024-03-01T00:00Z", "2", 150),
        ("2024-03-01T00:30Z", "1", 150),  # half of each
        ("2024-03-01T00:45Z", "0.5", 150),
        ("2024-03-01T00:15Z", "1.25", 140),  # 45 minutes at 100, 30 at 200
        ("2024-03-01T01:10:30Z", "0.25", 200),  # within an hour
        ("2024-03-01 01:00:00+00:00", "1", 200),  # to the last microsecond before the gap
        ("2024-03-01T02:30+01:00", "0.5", 200),  # the same instant as 01:30 UTC
        ("2024-03-01T07:00:00.000+0530", "0.5", 200),  # 01:30 UTC
        ("2024-03-01T03:00Z", "1", 400),  # to the end of the series
        ("2024-03-01T03:59:59.99Z", "0.000000002", 400),
        ("2024-03-01T01:30Z", "1", None),  # half of it in the gap
        ("2024-03-01T02:10Z", "0.5", None),  # within the gap
        ("2024-03-01T01:00Z", "3", None),  # over the gap
        ("2024-03-01T03:00Z", "1.01", None),  # past the end
        ("2024-02-29T23:30Z", "1", None),  # before the begin
        ("2024-03-01T04:00Z", "1", None),
        ("2023-03-01T00:00Z", "1", None),
    ],
)
def test_the_intensity_is_the_mean_over_the_time_of_the_run(
    database: Path, tmp_path: Path, start: str, hours: str, grams: float | None
) -> None:
    found, done = estimated(database, tmp_path, DE, {"started": start, "training_hours": hours})
    row = found[1]
    tonnes = None if grams is None else pytest.approx(grams / 1000, rel=1e-15)  # of 1 MWh
    assert (row["gross_kg_per_kwh"], row["co2e_gross_t"]) == (tonnes, tonnes)
    assert row["gross_basis"] == ("missing_hours" if grams is None else "given_hours")
    assert row["energy_mwh"] == 1
    assert (row["gross_gsd"] is None) == (row["co2e_gross_t_p95"] is None) == (grams is None)
    more = "; 1 more without CO2e, because the series lacks an hour of the run"
    assert done.notes == ["By the hour: 0 runs" + more if grams is None else "By the hour: 1 run"]


def test_a_run_without_a_time_a_length_or_a_zone_keeps_the_intensity_of_its_year(
    database: Path, tmp_path: Path
) -> None:
    at = {"started": "2024-03-01T00:00Z"}
    runs = [
        {},
        {"started": "2024-03-01"},
        {"started": "2024-03"},
        at | {"training_hours": ""},
        at | {"site_country": "FR"},
        at | {"site_country": "", "provider": "Google"},
        at | {"site_country": "DE", "cloud_region": "europe-west3"},  # not the region's hours
        at | {"carbon_intensity_g_per_kwh": "50"},
    ]
    found, done = estimated(database, tmp_path, DE, *runs, at)
    for number, run in enumerate(runs, start=1):
        alone = estimating.estimate_run({k: v for k, v in (RUN | run).items() if v}, database, TODAY)
        assert {name: found[number][name] for name in ("gross_basis", "gross_kg_per_kwh", "co2e_net_t")} == {
            name: alone[name] if name in alone else alone["factors"]["gross_kg_per_kwh"]["value"]
            for name in ("gross_basis", "gross_kg_per_kwh", "co2e_net_t")
        }, run
        assert found[number]["gross_basis"] not in ("given_hours", "missing_hours")
    assert found[len(runs) + 1]["gross_basis"] == "given_hours"
    assert done.notes == ["By the hour: 1 run"]


def test_a_region_a_state_and_hours_from_accelerator_hours(database: Path, tmp_path: Path) -> None:
    series = [
        f"{zone},2024-03-01T0{hour}:00Z,{300 + hour}" for zone in ("US-CENTRAL1", "us-tx") for hour in (0, 1)
    ]
    at = {"started": "2024-03-01T00:00Z", "site_country": "", "training_hours": ""}
    work = {"energy_kwh": "", "hardware": "V100", "chips": "4", "chip_hours": "8"}  # two hours
    found, _ = estimated(
        database,
        tmp_path,
        series,
        at | work | {"cloud_region": "us-central1"},
        at | work | {"site_state": "Texas"},
    )
    assert [row["gross_kg_per_kwh"] for row in found.values()] == [0.3005, 0.3005]


def test_rows_in_any_order_and_twice_give_the_same_bits(database: Path, tmp_path: Path) -> None:
    """Against fractions, over a leap day and a New Year; the hours in two orders, and some of them twice."""
    chance = random.Random(8)
    begin = datetime(2023, 12, 30, tzinfo=UTC)
    grams = [round(chance.uniform(2, 1399), 3) for _ in range(24 * 65)]
    series = [
        f"DE,{begin + timedelta(hours=hour):%Y-%m-%d %H:%M},{value}" for hour, value in enumerate(grams)
    ]
    jobs = []
    for _ in range(200):
        start = chance.randrange(0, 24 * 60 * 60)
        jobs.append((start, chance.randrange(1, (24 * 65 - 24) * 60 * 60)))  # seconds
    runs = [
        {
            "started": f"{begin + timedelta(seconds=start):%Y-%m-%dT%H:%M:%SZ}",
            "training_hours": repr(long / 3600),
        }
        for start, long in jobs
    ]
    found, _ = estimated(database, tmp_path, series, *runs)
    values = [row["gross_kg_per_kwh"] for row in found.values()]
    for value, (start, long) in zip(values, jobs, strict=True):
        exact = sum(
            (
                Fraction(str(grams[hour])) * (min(start + long, 3600 * (hour + 1)) - max(start, 3600 * hour))
                for hour in range(start // 3600, (start + long - 1) // 3600 + 1)
            ),
            Fraction(0),
        )
        assert value == pytest.approx(float(exact / long / 1000), rel=1e-12)
    twice = series + series[100:300]
    chance.shuffle(twice)
    again, _ = estimated(database, tmp_path, twice, *runs)
    assert [row["gross_kg_per_kwh"] for row in again.values()] == values


LOCAL = [f"DE,{day} {hour:02}:00,{hour}00" for day in ("2024-03-30", "2024-03-31") for hour in range(12)]


@pytest.mark.parametrize(
    ("series", "says"),
    [
        (
            ["DE,2024-03-01T00:00+01:00,5"],
            r"row 1, hour_utc: '2024-03-01T00:00\+01:00': a local time; expected UTC",
        ),
        (["DE,2024-03-01 00:00 Europe/Berlin,5"], "row 1, hour_utc: .* expected an hour in UTC"),
        (["DE,2024-03-01T00:30Z,5"], "row 1, hour_utc: .* expected a whole hour in UTC"),
        (["DE,2024-03-01,5"], "row 1, hour_utc: '2024-03-01': expected an hour in UTC"),
        (["DE,2024-02-30T00:00Z,5"], "row 1, hour_utc: .* expected an hour in UTC"),
        (["DE,0204-02-03T00:00Z,5"], "row 1, hour_utc: .* from 2000 on"),
        (["DE,,5"], "row 1, hour_utc: empty"),
        (
            [line for line in LOCAL if "03-31 02" not in line],
            "lacks the hour 2024-03-31 02:00 alone.*local time",
        ),
        (
            [*DE, "DE,2024-03-01T01:00Z,250"],
            "row 5, hour_utc: zone DE has 2024-03-01 01:00 twice: 250 here and 200 in row 2",
        ),
        ([*DE, "DE,2024-03-01T02:00Z,250"], "twice: 250 here and nothing in row 3"),
        (["nowhere,2024-03-01T00:00Z,5"], "row 1, zone: 'nowhere': expected the code of"),
        ([",2024-03-01T00:00Z,5"], "row 1, zone: empty: expected the code of"),
        (["DE,2024-03-01T00:00Z,0.35", "DE,2024-03-01T01:00Z,0.4"], "at most 0.4: it looks like kg per kWh"),
        (
            ["DE,2024-03-01T00:00Z,350000"],
            "350000: no grid emits more than 1400 g CO2e per kWh; is it per MWh",
        ),
        (["DE,2024-03-01T00:00Z,-5"], "-5: expected 0 or more"),
        (["DE,2024-03-01T00:00Z,many"], "'many': expected a number, or nothing"),
        (["DE,2024-03-01T00:00Z"], "line 2, row 1: 2 cells, expected 3"),
    ],
)
def test_a_series_that_cannot_be_is_refused_by_its_row(
    database: Path, tmp_path: Path, series: list[str], says: str
) -> None:
    with pytest.raises(BadRunsError, match=says):
        estimated(database, tmp_path, series, {"started": "2024-03-01T00:00Z"})
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize(
    "series",
    [
        LOCAL,
        [line for line in LOCAL if "03-31 02" not in line] + ["DE,2024-03-31 02:00,"],  # said to be unknown
        [line for line in LOCAL if "03-30 02" not in line],  # no clock changes on a Saturday
        [line for line in LOCAL if "03-31 02" not in line and "03-31 03" not in line],  # two hours
        ["DE,2024-03-01T00:00Z,0", "FR,2024-03-01T00:00Z,nan", "IS,2024-03-01T00:00Z,1.5"],
    ],
)
def test_a_series_with_gaps_or_clean_hours_is_taken(
    database: Path, tmp_path: Path, series: list[str]
) -> None:
    found, _ = estimated(database, tmp_path, series, {"started": "2019-03-01"})
    assert found[1]["gross_basis"] == "country_year"


def test_a_run_whose_time_may_be_local_is_left_out_where_it_matters(database: Path, tmp_path: Path) -> None:
    bare = {"started": "2024-03-01 00:30"}
    found, done = estimated(database, tmp_path, DE, bare, bare | {"site_country": "FR"}, {"started": "2024"})
    assert sorted(found) == [2, 3]
    (says,) = done.first_problems
    assert says.endswith(
        "line 2, row 1, started: 2024-03-01 00:30: a time without its zone; for hours expected UTC, "
        "such as 2024-03-01T14:30Z"
    )


def test_parquet_with_typed_times_is_read_and_other_columns_are_not(database: Path, tmp_path: Path) -> None:
    at = datetime(2024, 3, 1, tzinfo=UTC)
    hours = [at, at + timedelta(hours=1)]
    for typed in (pl.Series(hours), pl.Series([hour.replace(tzinfo=None) for hour in hours])):
        pl.DataFrame(
            {
                "zone": ["DE"] * 2,
                "hour_utc": typed,
                "carbon_intensity_g_per_kwh": [100, 300],
                "mix": [[1], [2]],
            }
        ).write_parquet(tmp_path / "hours.parquet")
        pl.DataFrame(
            {"energy_kwh": [1.0], "training_hours": [2.0], "site_country": ["DE"], "started": [at]}
        ).write_parquet(tmp_path / "runs.parquet")
        batch.estimate_batch(
            tmp_path / "runs.parquet",
            tmp_path / "out.parquet",
            database,
            TODAY,
            hourly=str(tmp_path / "hours.parquet"),
        )
        assert pl.read_parquet(tmp_path / "out.parquet")["gross_kg_per_kwh"].to_list() == [0.2]


def test_the_command_says_what_is_by_the_hour_and_a_report_refuses_what_is_not_known(
    database: Path, tmp_path: Path
) -> None:
    (tmp_path / "hours.csv").write_text(SERIES + "\n".join(DE), encoding="utf-8")
    (tmp_path / "runs.csv").write_text(
        "energy_kwh,training_hours,site_country,started\n1000,2,DE,2024-03-01T00:00Z\n1000,2,DE,2024-03-01T01:00Z\n",
        encoding="utf-8",
    )
    given = ("--batch", tmp_path / "runs.csv", "--database", database)
    target = tmp_path / "out.csv"
    done = ote("estimate", *given, "--out", target, "--hourly-intensity", tmp_path / "hours.csv")
    assert (done.returncode, done.stdout) == (0, f"2 runs estimated: {target}\n"), done.stderr
    assert (
        done.stderr
        == "By the hour: 1 run; 1 more without CO2e, because the series lacks an hour of the run\n"
    )
    refused = ote("report", target)
    assert refused.returncode == 2
    assert "the hourly series lacks an hour of the run" in refused.stderr
    for wrong in (("--hours", "5", "--energy", "3"), (*given, "--out", target, "--engine", "spark")):
        refused = ote("estimate", *wrong, "--hourly-intensity", tmp_path / "hours.csv")
        assert refused.returncode == 2
        assert refused.stderr.strip().startswith("--hourly-intensity: only for --batch on this machine")
    (tmp_path / "hours.csv").write_text("zone,hour,g\nDE,1,2\n", encoding="utf-8")
    refused = ote("estimate", *given, "--out", target, "--hourly-intensity", tmp_path / "hours.csv")
    assert (
        "there is no column hour_utc, carbon_intensity_g_per_kwh; expected zone, hour_utc" in refused.stderr
    )
