"""`ote why`: every published number can be walked back to a source row."""

import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ote.answers import quantities, why
from ote.answers.published import open_database
from tests.conftest import Build, ote

PARTS = 8  # of the runs, so that all workers walk


@pytest.mark.parametrize("part", range(PARTS))
def test_every_number_of_every_run_is_walked_back_to_a_source_row(build: Build, part: int) -> None:
    with open_database(build.directory / "emissions.duckdb", why.PROBE) as connection:
        sources = {row[0] for row in connection.execute("select source_id from sources").fetchall()}
        runs = [row[0] for row in connection.execute("select run_id from emissions order by 1").fetchall()]
        assert len(runs) >= 1485
        for run_id in runs[part::PARTS]:
            found = why.tree(connection, run_id)  # raises where a product does not come out
            stated = [found["source"], *(factor["source"] for factor in found["factors"].values())]
            for source in stated:
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
                zero = beside["name"] == "co2e_market_t" and beside["value"] == 0  # after contracts
                assert zero or beside["p05"] < beside["value"] < beside["p95"], run_id
                assert beside["source"]["url"].startswith("http"), run_id
                assert all(beside["source"].values()), run_id


def test_a_figure_of_a_whole_project_is_shown_at_the_runs_that_it_covers(build: Build) -> None:
    """LLaMA, section 6: 2,638 MWh and 1,015 t for the development of all four models."""
    with open_database(build.directory / "emissions.duckdb", why.PROBE) as connection:
        together = why.tree(connection, "llama-65b")["published_together"]
        assert why.tree(connection, "gpt-3-175b")["published_together"] == []
    assert {(one["quantity"], one["value"]) for one in together} == {("energy_mwh", 2638), ("co2e_t", 1015)}
    assert {one["published_id"] for one in together} == {"llama-whole-development"}


def unwrapped(printed: str) -> str:
    """What was printed without the lines of the tree and the breaks of its lines."""
    return " ".join(re.sub("[│├└─]", " ", printed).split())


def inputs_give(factor: dict[str, Any], sources: set[str]) -> None:
    """The inputs of a factor come from rows of known sources; their mean is its value before any bound."""
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
    value = factor["value"] if factor["unbounded_value"] is None else factor["unbounded_value"]
    assert mean * (times["value"] if times else 1) == pytest.approx(value, rel=1e-9)


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
    stated = [(i["source"]["title"], i["source"]["url"], i["source"]["locator"]) for i in inputs["of"]]
    assert set(stated) <= drawn
    assert len({title for title, _, _ in stated}) > 1
    printed = unwrapped(ote("why", run_id, "--full", "--database", database).stdout)
    assert f"rated power: {tdp:.4g} W, times" in printed
    assert f"geometric mean of {len(stated)} inputs, each with its weight:" in printed
    assert f"and {len(stated) - 3} more, all with --json" in printed


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
        "select min(run_id) from water_use join embodied_emissions using (run_id) "
        "where water_site_m3_p95 < 100 * water_site_m3_p05"  # of a guess only the interval is shown
    )
    printed = unwrapped(ote("why", run_id, "--full", "--database", database).stdout)
    for table, quantity in (
        ("embodied_emissions", "embodied_t"),
        ("water_use", "water_site_m3"),
        ("water_use", "water_grid_m3"),
    ):
        ((value, low, high),) = build.query(
            f"select {quantity}, {quantity}_p05, {quantity}_p95 from {table} where run_id = '{run_id}'"
        )
        unit = quantity.rsplit("_", 1)[1]
        interval = f"90 % interval {why.short(low)} to {why.short(high)} {unit}"
        assert f"{quantity}, not in the results: {why.short(value)}, {interval}" in printed


def test_the_derivation_of_t5_holds_the_numbers_of_table_4(build: Build) -> None:
    done = ote("why", "T5-11b", "--full", "--database", build.directory / "emissions.duckdb")
    assert done.returncode == 0, done.stderr
    printed = unwrapped(done.stdout)
    assert "= 245,760 chip-hours x 310 W x 1.12 PUE / 1e6" in printed
    assert "MWh x 0.545 kg/kWh" in printed
    assert "https://arxiv.org/abs/2104.10350" in printed
    assert "basis disclosed_measured: The power of the whole system was measured" in printed
    assert "published energy_mwh: 85.7 MWh (with servers and PUE, from measured power), inside" in printed


@pytest.mark.parametrize("run_id", ["t5-11b", "gpt-3-175b", "llama-2-70b", "openclip-vit-g"])
@pytest.mark.parametrize("columns", [80, 100, 120, 200])
def test_the_answer_begins_with_a_sentence_and_fits_the_terminal(
    build: Build, run_id: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    ((model, energy, low, high, gross),) = build.query(
        "select model, energy_mwh, energy_mwh_p05, energy_mwh_p95, co2e_gross_t from emissions "
        f"where run_id = '{run_id}'"
    )
    database = ("--database", build.directory / "emissions.duckdb")
    short, full = (ote("why", run_id, *more, *database).stdout for more in ([], ["--full"]))
    for printed in (short, full):
        first = unwrapped(printed)
        assert first.startswith(f"Training {model} ({run_id}, ")
        assert f"about {quantities.energy(energy)} of electricity and emitted about " in first
        assert f"{quantities.mass(gross)} of CO2e (gross)." in first
        assert "90 % interval" in first
        assert max(len(line) for line in printed.splitlines() if "://" not in line) <= columns
    rows = [" ".join(line.split()) for line in short.splitlines()]
    line = next(row for row in rows if row.startswith("Energy "))  # others may be wrapped names of sources
    assert line.startswith(f"Energy {quantities.energy(energy)} {quantities.energy_span(low, high)}")
    has_net = run_id in ("t5-11b", "gpt-3-175b")
    assert any(row.startswith("Net CO2e unknown ") for row in rows) is not has_net
    factors = ("Chip-hours", "Power", "PUE", "Gross", *(["Net"] if has_net else []))
    for factor in factors if run_id != "openclip-vit-g" else ():
        assert any(re.match(rf"{factor} .* x/÷ \d", row) for row in rows), factor


def test_an_address_is_whole_and_on_its_own_line(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    database = ("--database", build.directory / "emissions.duckdb")
    whole = set(re.findall(r'https?://[^"\s;,]+', ote("why", "flower", "--json", *database).stdout))
    lines = ote("why", "flower", "--full", *database).stdout.splitlines()
    printed = [line.lstrip("│├└─ ") for line in lines if re.match(r"[│├└─ ]*https?://", line)]
    assert max(map(len, printed)) > 80
    assert set(printed) <= whole


def test_a_guess_is_an_interval_and_no_number(build: Build, tmp_path: Path) -> None:
    guessed = Path(shutil.copy(build.directory / "emissions.duckdb", tmp_path / "guessed.duckdb"))
    with duckdb.connect(str(guessed)) as connection:
        connection.execute(
            "update emission_factors set gsd = 8 where run_id = 't5-11b' and factor = 'chip_hours'"
        )
        half = 1.645 * math.sqrt(math.log(8) ** 2 + math.log(1.03) ** 2 + math.log(1.01) ** 2)
        for column in ("energy_mwh", "co2e_gross_t", "co2e_net_t"):
            connection.execute(
                f"update emissions set {column}_p05 = {column} * exp(-{half}), "
                f"{column}_p95 = {column} * exp({half}) where run_id = 't5-11b'"
            )
        ((energy, low, high, gross, hours),) = connection.execute(
            "select energy_mwh, energy_mwh_p05, energy_mwh_p95, co2e_gross_t, chip_hours "
            "from emissions where run_id = 't5-11b'"
        ).fetchall()
    span = quantities.energy_span(low, high)
    for command in (["why", "t5-11b"], ["why", "t5-11b", "--full"], ["find", "t5-11b"], ["where", "t5-11b"]):
        printed = unwrapped(ote(*command, "--database", guessed).stdout)
        assert "guess" in printed, command
        assert command[0] == "where" or span in printed or span.replace(" to ", " and ") in printed, command
        for hidden in (quantities.energy(energy), quantities.mass(gross), f"{hours:,.0f}"):
            assert hidden not in printed, (command, hidden)
    for command in (["why", "t5-11b"], ["find", "t5-11b"], ["where", "t5-11b"]):
        stated = ote(*command, "--json", "--database", guessed).stdout
        assert '"null_because": "a guess: p95 is more than 100 times p05' in stated
        assert str(low) in stated or command[0] == "where"
        assert not any(str(value) in stated for value in (energy, gross, hours)), command


def test_the_json_of_a_guess_has_the_interval_and_the_reason(build: Build) -> None:
    """Each value with p95 over p05 above 100, and each computed one that a published figure is set beside."""
    database = ("--database", build.directory / "emissions.duckdb")
    runs = build.query(
        "select run_id, energy_mwh, co2e_gross_t, co2e_net_t from emissions "
        "where energy_mwh_p95 > 100 * energy_mwh_p05 "
        "order by run_id in (select run_id from agreement) desc, energy_mwh desc limit 5"
    )
    for run_id, *values in runs:
        printed = ote("why", run_id, "--json", *database).stdout
        found = json.loads(printed)
        assert not any(str(value) in printed for value in values), run_id
        for item in [*found["results"], *found["factors"].values(), *found["beside"]]:
            is_guess = item["p95"] > 100 * item["p05"]
            assert (item["value"] is None) >= is_guess, item
            assert (item["value"] is None) == (item["null_because"] is not None), item
        assert found["energy_mwh"] is None
        assert found["null_because"]
        # the other factors would give it
        assert found["factors"]["chip_hours"]["value"] is None


def test_what_the_interval_of_a_published_factor_covers_is_said(build: Build) -> None:
    database = ("--database", build.directory / "emissions.duckdb")
    stated = unwrapped(ote("why", "gpt-3-175b", *database).stdout)
    assert "Published for the run: Chip-hours, Power, PUE, Gross, Net." in stated
    assert "includes rounding and errors of the meters, but not wrong statements or assumptions" in stated
    ((computed,),) = build.query(
        "select min(run_id) from emissions where run_id not in (select run_id from emission_factors "
        "where basis in ('disclosed', 'chips_x_hours', 'disclosed_measured')) and energy_basis = 'computed'"
    )
    assert "Published for the run" not in ote("why", computed, *database).stdout


def test_the_answer_says_who_stated_the_hours_and_what_was_assumed(build: Build) -> None:
    """GPT-3: others state the hours, with chips from a press release. T5: the paper is Google's own."""
    database = ("--database", build.directory / "emissions.duckdb")
    for more in ([], ["--full"]):
        stated = unwrapped(ote("why", "gpt-3-175b", *more, *database).stdout)
        assert "stated or computed by somebody other than the developer" in stated
        assert "Assumption: The number of accelerators (10,000) is taken from a press release" in stated
        assert "developer published" not in stated
        assert "The developer measured" not in stated
        assert "The developer states the hours, in a text of its own" in unwrapped(
            ote("why", "t5-11b", *more, *database).stdout
        )
    found = json.loads(ote("why", "gpt-3-175b", "--json", *database).stdout)
    assert found["hours_stated_by"] == "third_party"


def test_it_is_known_of_every_run_who_stated_its_hours(build: Build) -> None:
    """Nobody of hours from FLOP; a third party of hours that count as its; else somebody."""
    wrong = build.query(
        """
        select run_id, chip_hours_basis, hours_stated_by from emissions
        where (hours_stated_by is null) <> coalesce(chip_hours_basis like 'flop_%', true)
            or (chip_hours_basis like 'third_party_%' and hours_stated_by <> 'third_party')
            or (hours_stated_by = 'developer' and verified <> 'primary')
        """
    )
    assert wrong == []
    others = build.query(
        "select run_id from emissions where hours_stated_by = 'third_party' "
        "and chip_hours_basis in ('disclosed', 'chips_x_hours') order by 1"
    )
    assert others == [("gpt-3-175b",), ("xlm-550m",)]


def test_life_cycle_below_gross_says_why(build: Build) -> None:
    """The paper prints 0.429 kg/kWh for GPT-3; the life-cycle average of the USA in 2020 is 0.412."""
    database = ("--database", build.directory / "emissions.duckdb")
    stated = unwrapped(ote("why", "gpt-3-175b", *database).stdout)
    assert "use life-cycle CO2e: 531 t" in stated
    assert (
        "below gross here because the two use different figures for the grid: gross 0.429 kg/kWh "
        "(published for the run), life-cycle 0.412 kg/kWh" in stated
    )
    assert "below gross" not in ote("why", "llama-3.1-405b", *database).stdout
    below = build.query("select run_id from emissions where co2e_lifecycle_t < co2e_gross_t order by 1")
    with open_database(build.directory / "emissions.duckdb", why.PROBE) as connection:
        for (run_id,) in below:
            lifecycle = why.tree(connection, run_id)["lifecycle"]
            assert lifecycle["is_below_gross"], run_id


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
    stated = unwrapped(ote("why", reported, "--full", "--database", database).stdout)
    assert (
        "Energy (energy_mwh): the published figure, because nothing was published to compute it from"
        in stated
    )
    assert "reported energy_mwh" not in stated  # it replaced the computed one
    short = unwrapped(ote("why", reported, "--database", database).stdout)
    assert "The energy is the published figure, because nothing was published to compute it from." in short
    compared = unwrapped(ote("why", other, "--full", "--database", database).stdout)
    assert re.search(r"reported energy_mwh: [\d.,]+ MWh \(for comparison; not used\)", compared)
    assert " ".join(reason.split()) in unwrapped(ote("why", absent, "--database", database).stdout)


def test_the_uncertainty_of_flop_is_shown_with_that_of_the_hours(build: Build, tmp_path: Path) -> None:
    guessed = Path(shutil.copy(build.directory / "emissions.duckdb", tmp_path / "guessed.duckdb"))
    with duckdb.connect(str(guessed)) as connection:
        connection.execute(
            "update emission_factors set flop_confidence = 'likely' "
            "where run_id = 'code-llama-70b' and factor = 'chip_hours'"
        )
    stated = unwrapped(ote("why", "code-llama-70b", "--full", "--database", guessed).stdout)
    assert "uncertainty of the FLOP, included: gsd 4.054, likely: stated by Epoch AI" in stated
    known = ote("why", "code-llama-70b", "--full", "--database", build.directory / "emissions.duckdb").stdout
    assert "of the FLOP" not in known


@pytest.mark.parametrize(
    ("name", "message", "candidate"),
    [("llama 2", "may mean", "llama-2-70b"), ("t5-11c", "The nearest", "t5-11b")],
)
def test_programs_get_what_is_wrong_with_a_name_as_json(
    build: Build, name: str, message: str, candidate: str
) -> None:
    done = ote("why", name, "--json", "--database", build.directory / "emissions.duckdb")
    assert done.returncode == 2
    stated = json.loads(done.stdout)
    assert message in stated["error"]
    assert candidate in stated["run_ids"]
    (run,) = (run for run in stated["runs"] if run["run_id"] == candidate)
    assert run["energy_mwh_p05"] < run["energy_mwh"] < run["energy_mwh_p95"]


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
def test_a_missing_or_broken_database_is_reported(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "some.duckdb"
    if content is not None:
        path.write_bytes(content)
    done = ote("why", "t5-11b", "--database", path)
    assert done.returncode == 2
    assert "some.duckdb" in done.stderr
    assert "Traceback" not in done.stderr
