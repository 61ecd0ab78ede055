"""`ote why`: every published number can be walked back to a source row."""

import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.answers import why
from pipelines.answers.published import open_database
from tests.conftest import Build, ote


def test_every_number_of_every_run_is_walked_back_to_a_source_row(build: Build) -> None:
    with open_database(build.directory / "emissions.duckdb", why.PROBE) as connection:
        sources = {row[0] for row in connection.execute("select source_id from sources").fetchall()}
        runs = [row[0] for row in connection.execute("select run_id from emissions").fetchall()]
        assert len(runs) > 500
        for run_id in runs:
            found = why.tree(connection, run_id)  # raises where a product does not come out
            told = [found["source"], *(factor["source"] for factor in found["factors"].values())]
            for source in told:
                assert source["id"] in sources, run_id
                assert source["url"].startswith("http"), run_id
                assert source["locator"], run_id
            of = {name for result in found["results"] for name in result["of"]} - {"energy_mwh"}
            assert of <= set(found["factors"]), run_id
            for factor in found["factors"].values():
                is_average = re.search(
                    r"\bmean (of|over)\b|rated x|first of theirs", factor["source"]["locator"]
                )
                assert bool(factor["inputs"]) >= bool(is_average), (run_id, factor["factor"])
                if factor["inputs"]:
                    inputs_give(factor, sources)
            for beside in found["beside"]:
                assert beside["p05"] < beside["value"] < beside["p95"], run_id
                assert beside["source"]["url"].startswith("http"), run_id
                assert all(beside["source"].values()), run_id
            assert why.render(found)


def inputs_give(factor: dict[str, Any], sources: set[str]) -> None:
    """The inputs of a factor come from rows of known sources, and their mean is its value."""
    of, times = factor["inputs"]["of"], factor["inputs"]["times"]
    for one in of + ([times] if times else []):
        assert all((one["name"], one["unit"], *one["source"].values())), one
        assert one["source"]["id"] in sources, one
        assert one["source"]["url"].startswith("http"), one
    assert sum(one["weight_fraction"] for one in of) == pytest.approx(1)
    if factor["inputs"]["mean"] == "geometric":
        mean = math.prod(one["value"] ** one["weight_fraction"] for one in of)
    else:
        mean = sum(one["value"] * one["weight_fraction"] for one in of)
    assert mean * (times["value"] if times else 1) == pytest.approx(factor["value"], rel=1e-9)


def test_a_ratio_names_the_rating_and_each_measurement_with_its_weight(build: Build) -> None:
    ((run_id, hardware_id),) = build.query(
        "select factors.run_id, hardware_id from emission_factors as factors "
        "join training_runs using (run_id) where factor = 'watts_per_chip' "
        "and factors.source_locator like '%of its kind' order by 1 limit 1"
    )
    database = build.directory / "emissions.duckdb"
    found = json.loads(ote("why", run_id, "--json", "--database", database).stdout)
    inputs = found["factors"]["watts_per_chip"]["inputs"]
    ((tdp, title, url),) = build.query(
        f"select tdp_w, source_title, source_url from hardware where hardware_id = '{hardware_id}'"
    )
    rating = inputs["times"]
    assert (rating["value"], rating["source"]["title"], rating["source"]["url"]) == (tdp, title, url)
    drawn = set(build.query("select source_title, source_url, source_locator from system_power"))
    told = [(i["source"]["title"], i["source"]["url"], i["source"]["locator"]) for i in inputs["of"]]
    assert set(told) <= drawn
    assert len({title for title, _, _ in told}) > 1
    printed = ote("why", run_id, "--database", database).stdout
    assert f"rated power: {tdp:.4g} W, times" in printed
    assert f"geometric mean of {len(told)} inputs, each with its weight:" in printed
    assert f"and {len(told) - 3} more, all with --json" in printed


def test_a_mean_that_its_inputs_do_not_give_is_an_error(build: Build, tmp_path: Path) -> None:
    broken = Path(shutil.copy(build.directory / "emissions.duckdb", tmp_path / "broken.duckdb"))
    ((run_id,),) = build.query(
        "select min(run_id) from emission_factors where factor = 'watts_per_chip' and basis like 'measured_%'"
    )
    with duckdb.connect(str(broken)) as connection:
        connection.execute("update system_power set watts_per_chip = watts_per_chip * 1.001")
        connection.execute("update hardware set tdp_w = tdp_w * 1.001")
    done = ote("why", run_id, "--database", broken)
    assert done.returncode == 1
    assert f"{run_id}: watts_per_chip is " in done.stderr
    assert "its inputs give" in done.stderr


def test_what_is_in_no_total_has_interval_formula_and_source(build: Build) -> None:
    database = build.directory / "emissions.duckdb"
    ((run_id,),) = build.query(
        "select min(run_id) from water_use join embodied_emissions using (run_id) where water_site_m3 > 0"
    )
    printed = ote("why", run_id, "--database", database).stdout
    for table, quantity in (
        ("embodied_emissions", "embodied_t"),
        ("water_use", "water_site_m3"),
        ("water_use", "water_grid_m3"),
    ):
        ((value, low, high),) = build.query(
            f"select {quantity}, {quantity}_p05, {quantity}_p95 from {table} where run_id = '{run_id}'"
        )
        unit = quantity.rsplit("_", 1)[1]
        assert f"- {quantity} = {value:.4g} {unit} ({low:.4g} to {high:.4g}), in no total" in printed


def test_the_tree_of_t5_holds_the_numbers_of_table_4(build: Build) -> None:
    done = ote("why", "T5-11b", "--database", build.directory / "emissions.duckdb")
    assert done.returncode == 0, done.stderr
    assert "= 245,760 chip-hours x 310 W x 1.12 PUE / 1e6" in done.stdout
    assert "MWh x 0.545 kg/kWh" in done.stdout
    assert "https://arxiv.org/abs/2104.10350" in done.stdout
    assert "disclosed_measured" in done.stdout
    assert "published energy_mwh (unspecified, servers_x_pue, measured_power): 85.7, inside" in done.stdout
    assert max(map(len, done.stdout.splitlines())) < 140


def test_json_has_the_same_numbers_as_the_table(build: Build) -> None:
    done = ote("why", "gshard-600b", "--json", "--database", build.directory / "emissions.duckdb")
    found = json.loads(done.stdout)
    ((net, energy, watts),) = build.query(
        "select co2e_net_t, energy_mwh, watts_per_chip from emissions where run_id = 'gshard-600b'"
    )
    values = {result["name"]: result["value"] for result in found["results"]}
    assert (values["co2e_net_t"], values["energy_mwh"]) == (net, energy)
    assert found["factors"]["watts_per_chip"]["value"] == watts
    assert found["factors"]["watts_per_chip"]["p05"] < watts < found["factors"]["watts_per_chip"]["p95"]


def test_a_reported_energy_and_a_missing_estimate_say_so(build: Build) -> None:
    database = build.directory / "emissions.duckdb"
    ((reported,),) = build.query("select min(run_id) from emissions where energy_basis = 'reported'")
    ((other,),) = build.query(
        "select min(run_id) from emissions where energy_basis = 'computed' and reported_energy_mwh > 0"
    )
    ((absent, reason),) = build.query("select run_id, reason from models_without_estimate order by 1 limit 1")
    told = ote("why", reported, "--database", database).stdout
    assert "energy_mwh is the reported one" in told
    assert "reported energy_mwh" not in told  # it replaced the computed one
    assert "reported energy_mwh: " in ote("why", other, "--database", database).stdout
    assert reason in ote("why", absent, "--database", database).stdout


def test_the_spread_of_uncertain_flop_is_told_beside_that_of_the_hours(build: Build, tmp_path: Path) -> None:
    guessed = Path(shutil.copy(build.directory / "emissions.duckdb", tmp_path / "guessed.duckdb"))
    with duckdb.connect(str(guessed)) as connection:
        connection.execute(
            "update emission_factors set flop_confidence = 'likely' "
            "where run_id = 'code-llama-70b' and factor = 'chip_hours'"
        )
    told = ote("why", "code-llama-70b", "--database", guessed).stdout
    assert "with 4.054 of the FLOP, likely: stated by Epoch AI" in told
    (line,) = (line for line in told.splitlines() if "of the FLOP" in line)
    assert len(line) < 140
    assert (
        "of the FLOP"
        not in ote("why", "code-llama-70b", "--database", build.directory / "emissions.duckdb").stdout
    )


def test_an_unknown_name_gets_the_nearest_and_an_ambiguous_one_all(build: Build, tmp_path: Path) -> None:
    database = build.directory / "emissions.duckdb"
    done = ote("why", "t5-11c", "--database", database)
    assert (done.returncode, done.stdout) == (2, "")
    assert "The nearest: t5-11b" in done.stderr
    twice = Path(shutil.copy(database, tmp_path / "twice.duckdb"))
    with duckdb.connect(str(twice)) as connection:
        connection.execute("update emissions set model = 'Twin' where run_id in ('meena', 'palm-540b')")
    done = ote("why", "TWIN", "--database", twice)
    assert done.returncode == 2
    assert "'TWIN' names 2 runs: meena, palm-540b" in done.stderr


def test_a_name_without_latin_letters_is_itself_alone(build: Build, tmp_path: Path) -> None:
    named = Path(shutil.copy(build.directory / "emissions.duckdb", tmp_path / "named.duckdb"))
    with duckdb.connect(str(named)) as connection:
        connection.execute("update emissions set model = '悟道' where run_id = 'meena'")
    with open_database(named, why.PROBE) as connection:
        assert why.find(connection, "悟道") == "meena"
        with pytest.raises(why.UnknownRunError, match="The nearest"):
            why.find(connection, "文心")


@pytest.mark.parametrize(
    "name", ["GPT 3", "gpt3", "gpt-3", "GPT-3", "gpt-3-175b", "\uff27\uff30\uff34\uff0d\uff13"]
)
def test_a_name_is_known_in_any_case_and_punctuation(build: Build, name: str) -> None:
    with open_database(build.directory / "emissions.duckdb", why.PROBE) as connection:
        assert why.find(connection, name) == "gpt-3-175b"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        # the beginning of many names: the largest energies first, and how many there are
        ("llama 3", "'llama 3' is no run here. Runs with that in their name: llama-3.1-405b, "),
        ("llama", " and "),
        ("palm", "Runs with that in their name: palm-540b"),
        ("175b", "Runs with that in their name: gpt-3-175b, opt-175b"),  # not the beginning of any
        ("?", "The nearest: "),
        ("lama", "The nearest: "),  # within a word, and no word of any
        ("../../etc", "The nearest: "),  # AlexNet-C... has these letters, but not in one word
        ("", "'' is empty: expected a run_id or the name of a model"),
        ("  ", "'  ' is empty: expected a run_id or the name of a model"),
    ],
)
def test_a_part_of_a_name_lists_the_runs_that_have_it(build: Build, name: str, told: str) -> None:
    with (
        open_database(build.directory / "emissions.duckdb", why.PROBE) as connection,
        pytest.raises(why.UnknownRunError) as caught,
    ):
        why.find(connection, name)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message", "candidate"),
    [("palm", "Runs with that in their name", "palm-540b"), ("t5-11c", "The nearest", "t5-11b")],
)
def test_programs_get_what_is_wrong_with_a_name_as_json(
    build: Build, name: str, message: str, candidate: str
) -> None:
    done = ote("why", name, "--json", "--database", build.directory / "emissions.duckdb")
    assert done.returncode == 2
    told = json.loads(done.stdout)
    assert message in told["error"]
    assert candidate in told["run_ids"]


def test_programs_get_what_is_wrong_with_a_database_as_json(tmp_path: Path) -> None:
    done = ote("why", "t5-11b", "--json", "--database", tmp_path / "none.duckdb")
    assert done.returncode == 2
    assert "missing" in json.loads(done.stdout)["error"]
    assert "missing" in done.stderr


def test_a_result_that_its_factors_do_not_give_is_an_error(build: Build, tmp_path: Path) -> None:
    broken = Path(shutil.copy(build.directory / "emissions.duckdb", tmp_path / "broken.duckdb"))
    with duckdb.connect(str(broken)) as connection:
        connection.execute("update emissions set energy_mwh = energy_mwh * 1.001 where run_id = 't5-11b'")
    done = ote("why", "t5-11b", "--database", broken)
    assert done.returncode == 1
    assert "its factors give" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("content", [None, b"not a database", b""])
def test_a_missing_or_broken_database_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "some.duckdb"
    if content is not None:
        path.write_bytes(content)
    done = ote("why", "t5-11b", "--database", path)
    assert done.returncode == 2
    assert "some.duckdb" in done.stderr
    assert "Traceback" not in done.stderr
