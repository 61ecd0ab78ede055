"""`ote where`: places ranked for a run, and how sure the ranking is."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from pipelines import where
from pipelines.published import open_database
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
    assert ranked == pytest.approx(table)


def test_a_described_run_draws_what_its_chip_usually_draws(build: Build) -> None:
    with open_database(build.directory / "emissions.duckdb", where.PROBE) as connection:
        load = where.load_of_hardware(connection, "h100 sxm", 512, 300, 2024)
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
        (["no-such-run"], "no run_id"),
        ([], "Give either"),
        (["t5-11b", "--hardware", "H100"], "Give either"),
        (["--hardware", "H100"], "--hours 0"),
        (["--hardware", "H100", "--hours", "nan"], "--hours nan"),
        (["--hardware", "H100", "--hours", "-3"], "--hours -3"),
        (["--hardware", "H100", "--hours", "1e400"], "--hours inf"),
        (["--hardware", "H10000", "--hours", "3"], "no accelerator known here"),
        (["--hardware", "H100", "--hours", "3", "--chips", "0"], "chips"),
        (["t5-11b", "--provider", "Nobody"], "has no place here"),
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
