"""`ote where`: locations ranked for a run, and how sure the ranking is."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pytest

from ote.answers import quantities, where
from ote.answers.estimate import estimate_run
from ote.answers.published import open_database
from tests.conftest import Build, ote


def test_locations_of_a_run_are_its_energy_times_their_factors(build: Build) -> None:
    with open_database(build.directory / "emissions.duckdb", where.PROBE) as connection:
        load = where.load_of_run(connection, "t5-11b")
        locations = {location.region: location for location in where.ranked(connection, load, "lifecycle")}
    assert load.it_energy_mwh == pytest.approx(85.7 / 1.12, rel=0.01)  # Patterson et al. 2021, Table 4
    taiwan = locations["asia-east1"]
    ((pue, gross, net),) = build.query(
        "select pue, gross_kg_per_kwh, net_kg_per_kwh from locations "
        f"where region = 'asia-east1' and factor_year = {taiwan.factor_year}"
    )
    assert taiwan.co2e_gross_t == pytest.approx(load.it_energy_mwh * pue * gross)
    assert taiwan.co2e_net_t == pytest.approx(load.it_energy_mwh * pue * net)
    assert taiwan.co2e_net_t is not None
    assert (taiwan.co2e_net_t_p05 or math.nan) < taiwan.co2e_net_t < (taiwan.co2e_net_t_p95 or math.nan)
    ranked = [location for location in locations.values() if location.rank is not None]
    order = [
        location.co2e_gross_t if location.co2e_net_t is None else location.co2e_net_t for location in ranked
    ]
    assert order == sorted(order)
    assert [location.rank for location in ranked] == [*range(1, len(ranked) + 1)]
    assert len(locations) >= 40


@pytest.mark.parametrize("basis", ["direct", "lifecycle"])
def test_the_locations_of_the_ranking_are_those_of_what_if(build: Build, basis: str) -> None:
    with open_database(build.directory / "emissions.duckdb", where.PROBE) as connection:
        load = where.load_of_run(connection, "gshard-600b")
        ranked = where.ranked(connection, load, basis, "Google")
    table = build.query(
        "select region, factor_year, co2e_net_t from what_if "
        f"where run_id = 'gshard-600b' and region <> 'actual' and intensity_basis = '{basis}'"
        "order by net_rank, region"
    )
    assert len(table) >= 10
    # a location with a nearer year on the other basis stands in what_if on that one
    of_table = [p for p in ranked if (p.region, p.factor_year) in {row[:2] for row in table} and p.rank]
    three_digits = {p.region: float(f"{p.co2e_net_t:.3g}") for p in of_table}
    of_year = [(region, net_t) for region, year, net_t in table if year == ranked[0].factor_year]
    assert three_digits == pytest.approx(dict(of_year))
    assert sorted(three_digits, key=lambda region: (three_digits[region], region)) == [
        region for region, _ in of_year
    ]


def test_ranks_of_what_if_are_within_one_basis(build: Build) -> None:
    ranks = build.query(
        "select intensity_basis, min(gross_rank), max(gross_rank), count(*) from what_if "
        "where run_id = 'gshard-600b' and region <> 'actual' group by all order by 1"
    )
    assert [basis for basis, *_ in ranks] == ["direct", "lifecycle"]
    assert all((first, last) == (1, locations) for _, first, last, locations in ranks)


PLACES = """
create table locations (
    region text, provider text default 'Google', country text default 'SE', factor_year int,
    intensity_basis text, pue double default 1.1, pue_gsd double default 1.05,
    gross_kg_per_kwh double, gross_gsd double default 1.1, net_kg_per_kwh double,
    net_basis text default 'operator_hourly', net_gsd double default 1.2
);
insert into locations by name
select *, 2 * net_kg_per_kwh as gross_kg_per_kwh
from (
    values ('a', 2024, 'direct', 0.01), ('b', 2020, 'lifecycle', 0.02), ('b', 2021, 'direct', 0.03),
    ('c', 2020, 'lifecycle', 0.04), ('d', 2021, 'lifecycle', 0.005)
) as of_google (region, factor_year, intensity_basis, net_kg_per_kwh);
insert into locations by name
select 'e' as region, 'Other' as provider, 2020 as factor_year, 'lifecycle' as intensity_basis,
    0.03 as gross_kg_per_kwh;
"""


@pytest.fixture
def few() -> Iterator[duckdb.DuckDBPyConnection]:
    """Four locations of one operator, and one of an operator of which net is not known."""
    with duckdb.connect() as connection:
        connection.execute(PLACES)
        yield connection


LOAD = where.Load(name="", it_energy_mwh=100, ln_gsd=0.1, year=2020, hours=None)


def test_a_list_is_on_the_basis_of_the_run_or_of_most_locations(few: duckdb.DuckDBPyConnection) -> None:
    assert where.usual_basis(few, LOAD) == "lifecycle"  # b, c and e of 2020
    assert where.usual_basis(few, replace(LOAD, region="a")) == "direct"
    assert where.usual_basis(few, replace(LOAD, intensity_basis="direct")) == "direct"
    assert where.usual_basis(few, replace(LOAD, year=2024)) == "direct"  # a alone is of that year


def test_only_locations_of_one_year_are_ranked(few: duckdb.DuckDBPyConnection) -> None:
    ranked = where.ranked(few, LOAD, "lifecycle")
    # d is the least of all, but of 2021
    assert [(p.region, p.rank) for p in ranked] == [("b", 1), ("e", 2), ("c", 3), ("d", None)]
    assert ranked[0].co2e_net_t == pytest.approx(100 * 1.1 * 0.02)
    assert ranked[0].co2e_gross_t == pytest.approx(100 * 1.1 * 0.04)
    later = where.ranked(few, replace(LOAD, year=2021), "lifecycle")
    assert [(p.region, p.rank) for p in later] == [("d", 1), ("b", None), ("e", None), ("c", None)]
    nearest = where.ranked(few, LOAD, "direct")  # none is of 2020: the nearest year that any has
    assert [(p.region, p.factor_year, p.rank) for p in nearest] == [("b", 2021, 1), ("a", 2024, None)]


def test_an_unknown_net_is_null_and_ranked_by_gross(few: duckdb.DuckDBPyConnection) -> None:
    known, unknown, last, _ = where.ranked(few, LOAD, "lifecycle")
    assert (unknown.co2e_net_t, unknown.co2e_net_t_p05, unknown.co2e_net_t_p95) == (None, None, None)
    assert unknown.co2e_gross_t == pytest.approx(100 * 1.1 * 0.03)
    # The PUE is 1 + 0.1, with a gsd of 1.05 of the 0.1; 1.1 is the gsd of PUE and grid together.
    above, below = math.log((1 + 0.1 * 1.05**1.645) / 1.1), math.log(1.1 / (1 + 0.1 / 1.05**1.645))
    grid = math.sqrt((1.645 * math.log(1.1)) ** 2 - ((above + below) / 2) ** 2)
    half = math.exp(math.hypot(1.645 * 0.1, above, grid))
    assert unknown.co2e_gross_t_p95 == pytest.approx(100 * 1.1 * 0.03 * half)
    assert (known.chance_to_beat_next, unknown.chance_to_beat_next) == (None, None)  # net against gross
    assert last.chance_to_beat_next is None
    # 0.02 against 0.04, each with a gsd of 1.2: ln 2 / (sqrt 2 x ln 1.2) = 2.688 standard deviations
    first, *_ = where.ranked(few, LOAD, "lifecycle", "Google")
    assert first.chance_to_beat_next == pytest.approx(0.9964, abs=1e-4)
    # 0.03 against 0.06 by gross, each with a gsd of 1.1: 5.142
    few.execute("update locations set net_kg_per_kwh = null, net_gsd = null")
    first, second, _, _ = where.ranked(few, LOAD, "lifecycle")
    assert (first.region, second.region) == ("e", "b")
    assert first.chance_to_beat_next == pytest.approx(where.chance(3, math.log(1.1), 4, math.log(1.1)))


def test_the_first_year_of_one_region_does_not_win_over_the_newest_of_the_others(build: Build) -> None:
    """Montreal's figures of 2020, on another basis than its newer ones, ranked first for any year."""
    database = ("--database", build.directory / "emissions.duckdb")
    described = ("where", "--hardware", "H100", "--chips", "512", "--hours", "300", *database)
    ((newest,),) = build.query("select max(factor_year) from locations")
    for options in ((), ("--year", str(newest)), ("--start", f"{newest}-06")):
        locations = json.loads(ote(*described, *options, "--json").stdout)
        ranked = [location for location in locations if location["rank"] is not None]
        assert {location["factor_year"] for location in ranked} == {newest}, options
        assert newest not in {location["factor_year"] for location in locations if location["rank"] is None}
        assert locations[: len(ranked)] == ranked
        printed = " ".join(ote(*described, *options).stdout.split())
        assert f"with life-cycle intensities of {newest}." in printed
        assert "with life-cycle intensities of other years only, among them 27 of Google (2020): " in printed
    google = json.loads(ote(*described, "--provider", "Google", "--json").stdout)
    assert {location["factor_year"] for location in google if location["rank"]} == {newest}


def test_the_net_of_an_operator_that_publishes_nothing_is_unknown(build: Build) -> None:
    database = ("--database", build.directory / "emissions.duckdb")
    described = ("where", "--hardware", "H100", "--hours", "300", *database)
    for location in json.loads(ote(*described, "--json").stdout):
        assert (location["co2e_net_t"] is None) == (location["provider"] != "Google"), location
    printed = ote(*described).stdout
    assert " unknown " in printed
    assert "net CO2e unknown: the operator does not publish" in " ".join(printed.split())


def test_the_region_of_the_run_is_found_in_the_ranking(build: Build) -> None:
    database = ("--database", build.directory / "emissions.duckdb")
    described = ("where", "--hardware", "H100", "--hours", "300", *database)
    locations = json.loads(ote(*described, "--region", "us-central1", "--json").stdout)
    (own,) = (location for location in locations if location["region"] == "us-central1")
    printed = " ".join(ote(*described, "--region", "us-central1", "--top", "2").stdout.split())
    ranked = sum(location["rank"] is not None for location in locations)
    assert f"us-central1, the region of the run: number {own['rank']} of {ranked}." in printed
    of_run = " ".join(ote("where", "gshard-600b", "--region", "us-central1", *database).stdout.split())
    assert "us-central1, the region of the run: number " in of_run


@pytest.mark.parametrize(
    ("run", "basis", "named"),
    [
        ("t5-11b", "direct", "now: Changhua"),  # its source states an intensity without its kind
        ("bloom-176b", "lifecycle", "now: Jean Zay"),
        ("llama-3.1-405b", "lifecycle", "now: "),
    ],
)
@pytest.mark.parametrize("columns", [80, 120])
def test_the_run_as_it_is_now_is_the_first_row(
    build: Build, monkeypatch: pytest.MonkeyPatch, run: str, basis: str, named: str, columns: int
) -> None:
    """Each location is compared with the run's own gross CO2e on the same basis, as what_if does."""
    monkeypatch.setenv("COLUMNS", str(columns))
    command = ("where", run, "--basis", basis, "--database", build.directory / "emissions.duckdb")
    ((now,),) = build.query(
        "select coalesce(any_value(e.co2e_gross_t) filter (e.intensity_basis = 'unspecified'), "
        "any_value(g.co2e_gross_t)) from emissions as e left join support.gross_by_basis as g "
        f"on e.run_id = g.run_id and g.intensity_basis = '{basis}' where e.run_id = '{run}'"
    )
    locations = json.loads(ote(*command, "--json").stdout)
    assert locations
    for location in locations:
        assert location["ratio_to_actual"] == pytest.approx(location["co2e_gross_t"] / now)
    stated = ote(*command, "--top", "4").stdout
    assert max(map(len, stated.splitlines())) <= columns
    first = stated.split("─\n")[1].splitlines()[0]
    assert first.startswith(named)
    assert quantities.mass(now) in first
    assert f"{1 - locations[0]['ratio_to_actual']:.0%} less" in stated
    assert "; --top 0 prints all." in stated
    assert "--top" not in ote(*command, "--top", "0").stdout


def test_a_described_run_is_compared_with_its_region(build: Build) -> None:
    database = ("--database", build.directory / "emissions.duckdb")
    described = ("where", "--hardware", "H100", "--hours", "300", *database)
    found = json.loads(ote(*described, "--region", "us-central1", "--json").stdout)
    ratios = {location["region"]: location["ratio_to_actual"] for location in found}
    assert ratios["us-central1"] == pytest.approx(1)
    stated = " ".join(ote(*described, "--region", "us-central1").stdout.split())
    assert "now: us-central1 (US)" in stated
    other = json.loads(ote(*described, "--region", "us-central1", "--basis", "lifecycle", "--json").stdout)
    assert {location["ratio_to_actual"] for location in other} == {None}, "known for another year only"
    unknown = ote(*described).stdout
    assert "--region REGION compares each location" in " ".join(unknown.split())
    assert "now: " not in unknown
    listed = json.loads(ote(*described, "--json").stdout)
    assert {location["ratio_to_actual"] for location in listed} == {None}


def test_locations_on_the_other_basis_are_reported_and_not_ranked(build: Build) -> None:
    database = build.directory / "emissions.duckdb"
    usual, direct = (
        json.loads(ote("where", "gshard-600b", "--json", *more, "--database", database).stdout)
        for more in ([], ["--basis", "direct"])
    )
    assert {p["intensity_basis"] for p in usual} == {"lifecycle"}  # that of most places in 2020
    assert {p["intensity_basis"] for p in direct} == {"direct"}
    assert "europe-north2" not in {p["region"] for p in usual}
    stated = " ".join(ote("where", "gshard-600b", "--database", database).stdout.split())
    assert "Locations ranked by CO2e, with life-cycle intensities of 2020." in stated
    assert "Only locations with life-cycle intensities are ranked" in stated
    assert "--basis direct ranks the locations with direct intensities." in stated


def test_a_described_run_power_what_its_chip_usually_power(build: Build) -> None:
    given = {"hardware": "nvidia-h100-sxm5-80gb", "chips": 512, "training_hours": 300}
    load = where.load_of_estimate(estimate_run(given, build.directory / "emissions.duckdb"))
    ((watts,),) = build.query(
        "select watts_per_chip from hardware_power where hardware_id = 'nvidia-h100-sxm5-80gb'"
    )
    assert load.it_energy_mwh == pytest.approx(512 * 300 * watts / 1e6)
    assert 780 < watts < 1000  # MLPerf systems and an air-cooled one


@pytest.mark.parametrize(
    ("hours", "stated"),
    [
        ("0.001", " Wh before PUE"),  # some 900 W for 3.6 s
        ("1", " Wh before PUE"),
        ("10", " kWh before PUE"),
        ("10000", " MWh before PUE"),
    ],
)
def test_an_energy_is_reported_in_a_unit_that_shows_it(build: Build, hours: str, stated: str) -> None:
    options = ("--hardware", "H100", "--hours", hours, "--database", build.directory / "emissions.duckdb")
    first = ote("where", *options).stdout.split(". Locations")[0]
    ((watts,),) = build.query(
        "select watts_per_chip from hardware_power where hardware_id = 'nvidia-h100-sxm5-80gb'"
    )
    wh = {"Wh": 1, "kWh": 1e3, "MWh": 1e6}[stated.split()[0]]
    assert " ".join(first.split()).endswith(f": {float(hours) * watts / wh:.3g}{stated}")


def test_the_chance_agrees_with_drawn_locations() -> None:
    random = np.random.Generator(np.random.Philox(7))
    one = 0.2 * np.exp(random.normal(0, math.log(1.2), 1_000_000))
    other = 0.25 * np.exp(random.normal(0, math.log(1.35), 1_000_000))
    expected = float((one < other).mean())
    assert where.chance(0.2, math.log(1.2), 0.25, math.log(1.35)) == pytest.approx(expected, abs=0.002)


def test_the_command_prints_the_same_as_json(build: Build) -> None:
    database = build.directory / "emissions.duckdb"
    done = ote("where", "gshard-600b", "--json", "--provider", "Google", "--database", database)
    assert done.returncode == 0, done.stderr
    locations = json.loads(done.stdout)
    stated = ote("where", "gshard-600b", "--provider", "Google", "--top", "3", "--database", database).stdout
    rows = [line.split()[0] for line in stated.splitlines() if " (" in line[:32] and "%" in line]
    assert rows == [p["region"] for p in locations[:3]]
    assert [p["chance_to_beat_next"] for p in locations if p["rank"]][-1] is None


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_the_ranking_fits_the_terminal_and_cuts_no_name(
    build: Build, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    database = build.directory / "emissions.duckdb"
    ranking = ("where", "gshard-600b", "--top", "0", "--basis", "lifecycle", "--database", database)
    stated = ote(*ranking).stdout
    assert max(map(len, stated.splitlines())) <= columns
    for location in json.loads(ote(*ranking, "--json").stdout):
        assert location["region"] in stated or location["rank"] is None
        assert location["provider"] in stated
    assert stated.count(" last\n") == 1
    for unit in (" kg", " t"):  # units fit the number
        assert unit in stated


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no-such-run"], "'no-such-run' is not a run here. The nearest: "),
        (["t5-11b", "--year", "1990"], "--year 1990: expected 2019 to 20"),
        (["t5-11b", "--year", "2199"], "--year 2199: expected 20"),
        ([], "Give either"),
        (["t5-11b", "--hardware", "H100"], "Give either"),
        (["--hardware", "H100"], "--hours is missing; with --hardware, give the hours"),
        (["--hardware", "H100", "--hours", "0"], "--hours 0: expected a number above 0"),
        (["--hardware", "H100", "--hours", "1e9"], "--hours 1e+09: more than ten years (87600 hours)"),
        (
            ["--hardware", "H100", "--hours", "87600", "--chips", "10000000"],
            "--chips 10000000 for 87600 hours are 8.76e+11 chip-hours: more than",
        ),
        (["--hardware", "CPU", "--hours", "3"], "CPUs are known by name, such as "),
        (
            ["--hardware", "GB200 NVL72", "--hours", "3"],
            "--hardware 'GB200 NVL72' is a rack of 72 GB200; give --hardware GB200 --chips 72 for each rack",
        ),
        (["--hardware", "H100", "--hours", "nan"], "--hours nan"),
        (["--hardware", "H100", "--hours", "-3"], "--hours -3"),
        (["--hardware", "H100", "--hours", "1e400"], "--hours inf"),
        (["--hardware", "H10000", "--hours", "3"], "not a known accelerator"),
        (["--hardware", "H100", "--hours", "3", "--chips", "0"], "chips"),
        (["t5-11b", "--provider", "Nobody"], "--provider 'Nobody' is not a known provider. Known: "),
        (["t5-11b", "--provider", "EPFL"], "'EPFL': no location here. Known: "),
        (["t5-11b", "--country", "Andorra"], "AD: no location here. Known: AE, "),
        (["t5-11b", "--country", "FI", "--provider", "AWS"], "FI: no location of Amazon Web Services here."),
        (["t5-11b", "--country", "Finnland"], "is not a known country"),
        (["t5-11b", "--country", "FI", "--month", "2022-05"], "--country does not go with --month"),
        (["t5-11b", "--basis", "marginal"], "--basis"),
        (
            ["t5-11b", "--provider", "Scaleway", "--basis", "direct"],
            "--basis direct: Scaleway has no location",
        ),
        (["t5-11b", "--month", "2022-07", "--basis", "direct"], "--basis direct: with --month"),
        (["t5-11b", "--month", "2022-07", "--region", "us-east1"], "--region does not go with --month"),
        (["t5-11b", "--month", "2022-07", "--provider", "AWS"], "--provider does not go with --month"),
        (["t5-11b", "--month", "2022-07", "--year", "2022"], "--year 2022 does not go with --month"),
        (["t5-11b", "--year", "2022", "--start", "2022-07"], "--year and --start: give one of them."),
        (["t5-11b", "--start", "soon"], "--start 'soon': expected a date as YYYY-MM-DD"),
        (["t5-11b", "--start", "2199"], "--start 2199: in the future"),
        (["t5-11b", "--region", "us-centra1"], "The nearest: us-central1, "),
        (["t5-11b", "--region", " "], "--region: empty"),
        (
            ["t5-11b", "--provider", "AWS", "--basis", "direct", "--year", "2025"],
            "--year 2025: none of these locations has direct intensities of that year; the nearest",
        ),
    ],
)
def test_bad_input_gets_one_line_and_code_2(build: Build, arguments: list[str], says: str) -> None:
    done = ote("where", *arguments, "--database", build.directory / "emissions.duckdb")
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_or_broken_database_is_reported(tmp_path: Path) -> None:
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


def test_a_year_that_is_not_that_of_the_run_is_reported(build: Build) -> None:
    database = ("--database", build.directory / "emissions.duckdb")
    older = " ".join(ote("where", "alexnet", *database).stdout.split())
    assert "intensities of 2019, the nearest known year to 2012." in older
    assert (
        "nearest" not in ote("where", "t5-11b", "--provider", "Google", *database).stdout.split("region")[0]
    )


def test_starts_on_the_command_line(build: Build) -> None:
    database = ("--database", build.directory / "emissions.duckdb")
    described = ("where", "--hardware", "H100", "--chips", "8", "--hours", "2", *database)
    starts = json.loads(ote(*described, "--month", "2022-07", "--json").stdout)
    assert starts[0]["zone"] == "BPAT"  # hydropower
    assert all(0 <= start["start_hour_utc"] < 24 and start["saved_fraction"] >= 0 for start in starts)
    assert "BPAT" in ote(*described, "--month", "2022-07").stdout
    for month, says in [
        ("2022-13", "YYYY-MM"),
        ("2019-07", "hourly data for 2020, 2021, 2022"),
        ("2025-09", "\n2022-01 to 2022-12: AZPS, BPAT, "),
        ("2025-09", "Give one of these months, such as --month 2022-09."),
    ]:
        wrong = ote(*described, "--month", month)
        assert wrong.returncode == 2
        assert says in wrong.stderr


def test_equal_locations_do_not_beat_each_other(build: Build) -> None:
    """Norwayeast and norwaywest have one grid and one PUE."""
    command = ("where", "--hardware", "H100", "--hours", "100", "--top", "0")
    database = ("--database", build.directory / "emissions.duckdb")
    ranked = [p for p in json.loads(ote(*command, "--json", *database).stdout) if p["rank"]]
    equal = [
        one["chance_to_beat_next"]
        for one, other in pairwise(ranked)
        if all(one[name] == other[name] for name in ("co2e_gross_t", "co2e_gross_t_p95", "co2e_net_t"))
    ]
    assert equal
    assert set(equal) == {None}
    assert ote(*command, *database).stdout.count(" equal\n") == len(equal)


def test_the_first_lines_say_which_locations_are_not_ranked(build: Build) -> None:
    """What JSON has without a rank is named by operator and year, with the options that show it."""
    command = ("where", "--hardware", "H100", "--hours", "100")
    database = ("--database", build.directory / "emissions.duckdb")
    unranked = [p for p in json.loads(ote(*command, "--json", *database).stdout) if p["rank"] is None]
    google = {p["factor_year"] for p in unranked if p["provider"] == "Google"}
    assert google
    said = " ".join(ote(*command, *database).stdout.split("─")[0].split())
    assert f"Not in the list: {len(unranked)} locations" in said
    for year in google:
        number = sum((p["provider"], p["factor_year"]) == ("Google", year) for p in unranked)
        assert f"{number} of Google ({year}): --year {year} ranks them, --provider 'Google'" in said
    for location in json.loads(ote(*command, "--provider", "Google", "--json", *database).stdout):
        assert location["provider"] == "Google"
