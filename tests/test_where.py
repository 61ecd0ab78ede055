"""`ote where`: places ranked for a run, and how sure the ranking is."""

import json
import math
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from pipelines.answers import where
from pipelines.answers.published import open_database
from tests.conftest import Build, ote


def test_places_of_a_run_are_its_energy_times_their_factors(build: Build) -> None:
    with open_database(build.directory / "emissions.duckdb", where.PROBE) as connection:
        load = where.load_of_run(connection, "t5-11b")
        places = {place.region: place for place in where.ranked(connection, load, "lifecycle")}
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


@pytest.mark.parametrize("basis", ["direct", "lifecycle"])
def test_the_places_of_the_ranking_are_those_of_what_if(build: Build, basis: str) -> None:
    with open_database(build.directory / "emissions.duckdb", where.PROBE) as connection:
        load = where.load_of_run(connection, "gshard-600b")
        ranked = where.ranked(connection, load, basis, "Google")
    table = build.query(
        "select region, factor_year, co2e_net_t from what_if "
        f"where run_id = 'gshard-600b' and region <> 'actual' and intensity_basis = '{basis}'"
        "order by net_rank, region"
    )
    assert len(table) >= 10
    # a place with a nearer year on the other basis stands in what_if on that one
    of_table = [p for p in ranked if (p.region, p.factor_year) in {row[:2] for row in table}]
    four_digits = {p.region: float(f"{p.co2e_net_t:.4g}") for p in of_table}
    assert four_digits == pytest.approx({region: net_t for region, _, net_t in table})
    assert [p.region for p in of_table] == [region for region, _, _ in table]


def test_ranks_of_what_if_are_within_one_basis(build: Build) -> None:
    ranks = build.query(
        "select intensity_basis, min(net_rank), max(net_rank), count(*) from what_if "
        "where run_id = 'gshard-600b' and region <> 'actual' group by all order by 1"
    )
    assert [basis for basis, *_ in ranks] == ["direct", "lifecycle"]
    assert all((first, last) == (1, places) for _, first, last, places in ranks)


def place(connection: duckdb.DuckDBPyConnection, region: str, year: int, basis: str, net: float) -> None:
    connection.execute(
        "insert into places (region, provider, country, factor_year, intensity_basis, pue, gross_kg_per_kwh,"
        " net_kg_per_kwh, net_gsd) values (?, 'Google', 'SE', ?, ?, 1.1, ?, ?, 1.2)",
        [region, year, basis, net, net],
    )


def test_a_list_has_one_basis_and_no_chance_between_years() -> None:
    load = where.Load(name="", it_energy_mwh=100, ln_gsd=0.1, year=2020, hours=None)
    with duckdb.connect() as connection:
        connection.execute(
            "create table places (region text, provider text, country text, factor_year int,"
            " intensity_basis text, pue double, gross_kg_per_kwh double, net_kg_per_kwh double,"
            " net_gsd double)"
        )
        for region, year, basis, net in (
            ("a", 2024, "direct", 0.01),
            ("b", 2020, "lifecycle", 0.02),
            ("b", 2021, "direct", 0.03),
            ("c", 2020, "lifecycle", 0.04),
            ("d", 2021, "lifecycle", 0.05),
        ):
            place(connection, region, year, basis, net)
        assert where.usual_basis(connection, load) == "lifecycle"  # b, c and d against a
        assert where.usual_basis(connection, replace(load, region="a")) == "direct"
        assert where.usual_basis(connection, replace(load, intensity_basis="direct")) == "direct"
        lifecycle = where.ranked(connection, load, "lifecycle")
        direct = where.ranked(connection, load, "direct")
    assert [p.region for p in lifecycle] == ["b", "c", "d"]
    assert [p.region for p in direct] == ["a", "b"]
    # 0.02 against 0.04, each with a gsd of 1.2: ln 2 / (sqrt 2 x ln 1.2) = 2.688 standard deviations
    assert lifecycle[0].chance_to_beat_next == pytest.approx(0.9964, abs=1e-4)
    assert [p.chance_to_beat_next for p in lifecycle[1:]] == [None, None]  # c is of 2020, d of 2021
    assert [p.chance_to_beat_next for p in direct] == [None, None]
    assert lifecycle[0].co2e_net_t == pytest.approx(100 * 1.1 * 0.02)


def test_places_on_the_other_basis_are_told_and_not_ranked(build: Build) -> None:
    database = build.directory / "emissions.duckdb"
    usual, direct = (
        json.loads(ote("where", "gshard-600b", "--json", *more, "--database", database).stdout)
        for more in ([], ["--basis", "direct"])
    )
    assert {p["intensity_basis"] for p in usual} == {"lifecycle"}  # that of most places in 2020
    assert {p["intensity_basis"] for p in direct} == {"direct"}
    assert "europe-north2" not in {p["region"] for p in usual}
    told = " ".join(ote("where", "gshard-600b", "--database", database).stdout.split())
    assert "Locations by net CO2e, on lifecycle intensities, factors of 2020." in told
    assert "Only locations with lifecycle intensities are ranked" in told
    assert "--basis direct ranks the locations with direct intensities." in told


def test_a_described_run_draws_what_its_chip_usually_draws(build: Build) -> None:
    with open_database(build.directory / "emissions.duckdb", where.PROBE) as connection:
        load = where.load_of_hardware(connection, "nvidia-h100-sxm5-80gb", 512, 300, 2024)
    ((watts,),) = build.query(
        "select watts_per_chip from hardware_draws where hardware_id = 'nvidia-h100-sxm5-80gb'"
    )
    assert load.it_energy_mwh == pytest.approx(512 * 300 * watts / 1e6)
    assert 780 < watts < 1000  # MLPerf systems and an air-cooled one


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        ("0.001", " Wh before PUE"),  # some 900 W for 3.6 s
        ("1", " Wh before PUE"),
        ("10", " kWh before PUE"),
        ("10000", " MWh before PUE"),
    ],
)
def test_an_energy_is_told_in_a_unit_that_shows_it(build: Build, hours: str, told: str) -> None:
    options = ("--hardware", "H100", "--hours", hours, "--database", build.directory / "emissions.duckdb")
    first = ote("where", *options).stdout.split(". Locations")[0]
    ((watts,),) = build.query(
        "select watts_per_chip from hardware_draws where hardware_id = 'nvidia-h100-sxm5-80gb'"
    )
    wh = {"Wh": 1, "kWh": 1e3, "MWh": 1e6}[told.split()[0]]
    assert " ".join(first.split()).endswith(f": {float(hours) * watts / wh:.3g}{told}")


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
    rows = [line.split()[0] for line in told.splitlines() if " (" in line[:32] and "%" in line]
    assert rows == [p["region"] for p in places[:3]]
    assert places[-1]["chance_to_beat_next"] is None


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_the_ranking_fits_the_terminal_and_cuts_no_name(
    build: Build, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    database = build.directory / "emissions.duckdb"
    ranking = ("where", "gshard-600b", "--top", "0", "--basis", "direct", "--database", database)
    told = ote(*ranking).stdout
    assert max(map(len, told.splitlines())) <= columns
    for place in json.loads(ote(*ranking, "--json").stdout):
        assert place["region"] in told
        assert place["provider"] in told
    assert "years differ" in told  # no chance is known there
    assert told.count(" last") == 1
    for unit in (" kg", " t"):  # units fit the number
        assert unit in told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no-such-run"], "'no-such-run' is not a run here. The nearest: "),
        (["t5-11b", "--year", "1990"], "--year 1990: expected 20"),
        (["t5-11b", "--year", "2199"], "--year 2199: expected 20"),
        ([], "Give either"),
        (["t5-11b", "--hardware", "H100"], "Give either"),
        (["--hardware", "H100"], "--hours is missing: with --hardware, give the hours"),
        (["--hardware", "H100", "--hours", "0"], "--hours 0: expected a number above 0"),
        (["--hardware", "H100", "--hours", "1e9"], "--hours 1e+09: more than ten years (87600 hours)"),
        (
            ["--hardware", "H100", "--hours", "87600", "--chips", "10000000"],
            "--chips 1e+07 for 87600 hours are 8.76e+11 chip-hours: more than",
        ),
        (["--hardware", "CPU", "--hours", "3"], "CPUs are known by name, such as "),
        (
            ["--hardware", "GB200 NVL72", "--hours", "3"],
            "--hardware 'GB200 NVL72' is a rack of 72 GB200; give --hardware GB200 --chips 72 for each rack",
        ),
        (["--hardware", "H100", "--hours", "nan"], "--hours nan"),
        (["--hardware", "H100", "--hours", "-3"], "--hours -3"),
        (["--hardware", "H100", "--hours", "1e400"], "--hours inf"),
        (["--hardware", "H10000", "--hours", "3"], "no accelerator known here"),
        (["--hardware", "H100", "--hours", "3", "--chips", "0"], "chips"),
        (["t5-11b", "--provider", "Nobody"], "--provider 'Nobody' is no provider known here. Known: "),
        (["t5-11b", "--provider", "EPFL"], "'EPFL' has no place here. Providers: "),
        (["t5-11b", "--basis", "marginal"], "--basis"),
        (["t5-11b", "--provider", "Scaleway", "--basis", "direct"], "--basis direct: Scaleway has no place"),
        (["t5-11b", "--month", "2022-07", "--basis", "direct"], "--basis direct: with --month"),
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
    told = ote("where", "t5-11b", "--basis", "direct", *database).stdout  # few are of 2019, as the run is
    assert "year: the year of the factors, the nearest to 2019 that is known." in told
    assert "(wanted: 2019)" in told
    assert "year:" not in ote("where", "t5-11b", "--provider", "Google", *database).stdout


def test_starts_on_the_command_line(build: Build) -> None:
    database = ("--database", build.directory / "emissions.duckdb")
    described = ("where", "--hardware", "H100", "--chips", "8", "--hours", "2", *database)
    starts = json.loads(ote(*described, "--month", "2022-07", "--json").stdout)
    assert starts[0]["zone"] == "BPAT"  # hydropower
    assert all(0 <= start["start_hour_utc"] < 24 and start["saved_fraction"] >= 0 for start in starts)
    assert "BPAT" in ote(*described, "--month", "2022-07").stdout
    for month, says in [("2022-13", "YYYY-MM"), ("2019-07", "hours of 2020, 2021, 2022")]:
        wrong = ote(*described, "--month", month)
        assert wrong.returncode == 2
        assert says in wrong.stderr
