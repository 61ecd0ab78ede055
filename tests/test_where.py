"""`ote where`: places ranked for a run, and how sure the ranking is."""

import json
import math
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.answers import when, where
from pipelines.answers.published import open_database
from tests.conftest import Build, ote


def test_places_of_a_run_are_its_energy_times_their_factors(build: Build) -> None:
    with open_database(build.directory / "emissions.duckdb", where.PROBE) as connection:
        load = where.load_of_run(connection, "t5-11b")
        places = {place.region: place for place in where.ranked(connection, load)}
    assert load.it_energy_mwh == pytest.approx(85.7 / 1.12, rel=0.01)  # Patterson et al. 2021, Table 4
    taiwan = places["asia-east1"]
    ((pue, gross, net),) = build.query(
        "select pue, gross_kg_per_kwh, net_kg_per_kwh from places "
        f"where region = 'asia-east1' and factor_year = {taiwan.factor_year}"
    )
    assert taiwan.co2e_gross_t == pytest.approx(load.it_energy_mwh * pue * gross)
    assert taiwan.co2e_net_t == pytest.approx(load.it_energy_mwh * pue * net)
    assert taiwan.co2e_net_t_p05 < taiwan.co2e_net_t < taiwan.co2e_net_t_p95
    order = [place.co2e_net_t for place in places.values()]
    assert order == sorted(order)
    assert len(places) >= 40


def test_the_place_of_the_ranking_is_that_of_what_if(build: Build) -> None:
    with open_database(build.directory / "emissions.duckdb", where.PROBE) as connection:
        load = where.load_of_run(connection, "gshard-600b")
        ranked = {p.region: p.co2e_net_t for p in where.ranked(connection, load, "Google")}
    table = dict(
        build.query(
            "select region, co2e_net_t from what_if where run_id = 'gshard-600b' and region <> 'actual'"
        )
    )
    four_digits = {region: float(f"{net_t:.4g}") for region, net_t in ranked.items()}
    assert four_digits == pytest.approx(table)


def test_a_described_run_draws_what_its_chip_usually_draws(build: Build) -> None:
    with open_database(build.directory / "emissions.duckdb", where.PROBE) as connection:
        load = where.load_of_hardware(connection, "nvidia-h100-sxm5-80gb", 512, 300, 2024)
    ((watts,),) = build.query(
        "select watts_per_chip from hardware_draws where hardware_id = 'nvidia-h100-sxm5-80gb'"
    )
    assert load.it_energy_mwh == pytest.approx(512 * 300 * watts / 1e6)
    assert 780 < watts < 1000  # MLPerf systems and an air-cooled one


def test_the_chance_agrees_with_drawn_places() -> None:
    random = np.random.Generator(np.random.Philox(7))
    one = 0.2 * np.exp(random.normal(0, math.log(1.2), 1_000_000))
    other = 0.25 * np.exp(random.normal(0, math.log(1.35), 1_000_000))
    expected = float((one < other).mean())
    assert where.chance(0.2, math.log(1.2), 0.25, math.log(1.35)) == pytest.approx(expected, abs=0.002)


def test_the_command_prints_the_same_as_json(build: Build) -> None:
    database = build.directory / "emissions.duckdb"
    done = ote("where", "gshard-600b", "--json", "--provider", "Google", "--database", database)
    assert done.returncode == 0, done.stderr
    places = json.loads(done.stdout)
    told = ote("where", "gshard-600b", "--provider", "Google", "--top", "3", "--database", database).stdout
    assert [line.split()[0] for line in told.splitlines()[2:5]] == [p["region"] for p in places[:3]]
    assert places[-1]["chance_to_beat_next"] is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no-such-run"], "'no-such-run' is no run here. The nearest: "),
        (["t5-11b", "--year", "1990"], "--year 1990: expected 20"),
        (["t5-11b", "--year", "2199"], "--year 2199: expected 20"),
        ([], "Give either"),
        (["t5-11b", "--hardware", "H100"], "Give either"),
        (["--hardware", "H100"], "--hours 0"),
        (["--hardware", "H100", "--hours", "nan"], "--hours nan"),
        (["--hardware", "H100", "--hours", "-3"], "--hours -3"),
        (["--hardware", "H100", "--hours", "1e400"], "--hours inf"),
        (["--hardware", "H10000", "--hours", "3"], "no accelerator known here"),
        (["--hardware", "H100", "--hours", "3", "--chips", "0"], "chips"),
        (["t5-11b", "--provider", "Nobody"], "--provider 'Nobody' is no provider known here. Known: "),
        (["t5-11b", "--provider", "EPFL"], "'EPFL' has no place here. Providers: "),
    ],
)
def test_bad_input_gets_one_line_and_code_2(build: Build, arguments: list[str], says: str) -> None:
    done = ote("where", *arguments, "--database", build.directory / "emissions.duckdb")
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_or_broken_database_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "broken.duckdb"
    broken.write_bytes(b"not a database")
    for path, says in ((tmp_path / "none.duckdb", "missing"), (broken, "not a database of this version")):
        done = ote("where", "t5-11b", "--database", path)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
        assert says in done.stderr


@pytest.mark.parametrize(
    ("arguments", "same"),
    [
        (["T5-11B"], ["t5-11b"]),
        (["gpt-3"], ["gpt-3-175b"]),
        (["t5-11b", "--provider", "aws"], ["t5-11b", "--provider", "Amazon Web Services"]),
        (
            ["--hardware", "80 GB A100 (PCIe)", "--hours", "3"],
            ["--hardware", "nvidia-a100-pcie-80gb", "--hours", "3"],
        ),
    ],
)
def test_names_mean_what_they_mean_to_why_and_estimate(
    build: Build, arguments: list[str], same: list[str]
) -> None:
    database = ["--json", "--database", str(build.directory / "emissions.duckdb")]
    done = ote("where", *arguments, *database)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ote("where", *same, *database).stdout


def test_years_of_places_that_are_not_that_of_the_run_are_told(build: Build) -> None:
    database = ("--database", build.directory / "emissions.duckdb")
    told = ote("where", "t5-11b", *database).stdout  # a run of 2019, when few places have factors
    assert "year: that of the factors, the nearest to 2019 that is known of the place." in told


HOUR = datetime(2022, 7, 1)


def write_hours(folder: Path, zone: str, first: datetime, intensities: list[float | None]) -> None:
    file = folder / "grids" / f"zone={zone}" / f"year={first.year}" / "hours.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(
        {
            "hour_utc": [first + timedelta(hours=i) for i in range(len(intensities))],
            "zone": zone,
            "carbon_intensity_lifecycle_g_per_kwh": intensities,
        },
        schema_overrides={"hour_utc": pl.Datetime("us")},
    ).write_parquet(file)


def test_the_best_start_is_the_window_with_the_least_mean(tmp_path: Path) -> None:
    write_hours(tmp_path, "AA", HOUR, [500, 100, 300, 200, 700])
    write_hours(tmp_path, "BB", HOUR, [50, None, 50, 60, 70])  # the gap spoils the first two windows
    best, other = when.best_starts(tmp_path, HOUR, 1.5)  # a begun hour counts whole
    assert (best.zone, best.start_utc, best.best_g_per_kwh, best.starts) == (
        "BB",
        HOUR + timedelta(hours=2),
        55,
        2,
    )
    assert (other.start_utc, other.best_g_per_kwh) == (HOUR + timedelta(hours=1), 200)
    assert other.mean_g_per_kwh == pytest.approx((300 + 200 + 250 + 450) / 4)
    assert other.worst_g_per_kwh == 450
    assert other.saved_fraction == pytest.approx(1 / 3)


def test_a_run_may_end_in_the_next_year_but_not_start_there(tmp_path: Path) -> None:
    write_hours(tmp_path, "AA", datetime(2021, 12, 31, 22), [400, 300])
    write_hours(tmp_path, "AA", datetime(2022, 1, 1), [100, 10, 10])
    (start,) = when.best_starts(tmp_path, datetime(2021, 12, 1), 2)
    assert (start.start_utc, start.best_g_per_kwh) == (datetime(2021, 12, 31, 23), 200)


def test_a_month_without_hours_says_which_years_there_are(tmp_path: Path) -> None:
    with pytest.raises(when.NoHoursError, match="it holds none"):
        when.best_starts(tmp_path, HOUR, 2)
    write_hours(tmp_path, "AA", HOUR, [100])
    with pytest.raises(when.NoHoursError, match="it holds the years 2022"):
        when.best_starts(tmp_path, HOUR, 2)


def test_starts_on_the_command_line(build: Build, tmp_path: Path) -> None:
    database = tmp_path / "emissions.duckdb"
    database.symlink_to(build.directory / "emissions.duckdb")
    write_hours(tmp_path / "hourly", "AA", HOUR, [500.0, 100.0, 300.0])
    described = ["where", "--hardware", "H100", "--chips", "8", "--hours", "2", "--database", str(database)]
    done = ote(*described, "--month", "2022-07", "--json")
    assert [start["start_utc"] for start in json.loads(done.stdout)] == ["2022-07-01T01:00:00"]
    assert "AA" in ote(*described, "--month", "2022-07").stdout
    for month, says in [("2022-13", "YYYY-MM"), ("2019-07", "it holds the years 2022")]:
        wrong = ote(*described, "--month", month)
        assert wrong.returncode == 2
        assert says in wrong.stderr
