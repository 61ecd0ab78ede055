"""`ote report`: what an estimate says in the forms that authors must hand in."""

import importlib
import io
import json
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from jsonschema import Draft7Validator
from spdx_python_model import v3_0_1 as spdx

from ote.answers import disclosure, quantities, words
from ote.answers.delimited import Place, Reject
from ote.answers.estimate import estimate_run
from tests.conftest import Build, ote

RUN = {
    "model": "A_model & co.",
    "hardware": "H100",
    "chips": 512,
    "training_hours": 300,
    "started": "2024-03",
}


@pytest.fixture(scope="module", params=["computed", "measured", "unknown hardware", "stated intensity"])
def run(request: pytest.FixtureRequest, build: Build) -> dict[str, Any]:
    given: dict[str, Any] = {
        "computed": RUN | {"cloud_region": "us-central1"},
        "measured": RUN | {"energy_kwh": 130_000, "cloud_region": "us-central1"},
        "unknown hardware": {"training_flop": 1e22, "site_country": "FR"},
        "stated intensity": RUN | {"carbon_intensity_g_per_kwh": 52.5, "site_country": "FR"},
    }[request.param]
    return estimate_run(given, build.directory / "emissions.duckdb")


def test_every_form_names_numbers_and_dataset(run: dict[str, Any]) -> None:
    forms = (disclosure.markdown, disclosure.latex, disclosure.cyclonedx, disclosure.spdx, disclosure.eu)
    for text in (form(run) for form in forms):
        assert run["dataset_version"] in text
        assert "None" not in text
        assert "nan" not in text
    for text in (disclosure.markdown(run), disclosure.latex(run)):
        assert quantities.energy(run["energy_mwh"]) in text
        assert quantities.mass(run["co2e_gross_t"]) in text


def test_every_form_shows_both_methods_of_scope_2(run: dict[str, Any]) -> None:
    known = run | {"co2e_market_t": 0.5, "co2e_market_t_p05": 0.4, "co2e_market_t_p95": 0.6}
    known |= {"market_basis": "operator_contracts"}
    unknown = run | dict.fromkeys(("co2e_market_t", "co2e_market_t_p05", "co2e_market_t_p95", "market_basis"))
    forms = (disclosure.markdown, disclosure.latex, disclosure.cyclonedx, disclosure.spdx, disclosure.eu)
    for form in (*forms, disclosure.model_card):
        for each, says in (
            (known, quantities.mass(0.5)),
            (unknown, "too little is published for this operator"),
        ):
            text = form(each)
            assert says in text, form
            assert "arket-based" in text, form
            assert "ocation-based" in text, form
    assert disclosure.summed([known, known])["co2e_market_t_p95"] == pytest.approx(1.2)
    assert disclosure.summed([known, unknown])["co2e_market_t"] is None


def test_every_form_says_what_the_intensity_counts(run: dict[str, Any]) -> None:
    says = {
        "direct": "a direct intensity",
        "lifecycle": "a life-cycle intensity",
        "unspecified": "not stated to be direct or life-cycle",
    }
    (consumption,) = json.loads(disclosure.cyclonedx(run))["components"][0]["modelCard"]["considerations"][
        "environmentalConsiderations"
    ]["energyConsumptions"]
    texts = (
        disclosure.markdown(run),
        disclosure.latex(run),
        yaml.safe_load(disclosure.model_card(run))["co2_eq_emissions"]["source"],
        consumption["energyProviders"][0]["description"],
        {each["name"]: each["value"] for each in consumption["properties"]}["co2e accounting"],
        disclosure.spdx(run),
        disclosure.eu(run),
    )
    for text in texts:
        assert says[run["intensity_basis"]] in text


def test_what_was_given_is_not_rounded(build: Build) -> None:
    """512 x 300 is 153,600, not 154,000."""
    given = {
        "chips": 512,
        "training_hours": 300,
        "pue": 1.125,
        "training_flop": 3.1415e23,
        "hardware": "H100",
    }
    database = build.directory / "emissions.duckdb"
    for extra in ({}, {"energy_kwh": 130_123.5}):
        run = estimate_run(given | {"carbon_intensity_g_per_kwh": 52.55} | extra, database)
        sheet = disclosure.eu(run)
        for entry in ("accelerator-hours | 153,600 |", "(hours) | 300 |", "(FLOP) | 3.1415e+23 |"):
            assert entry in sheet
        paper = disclosure.markdown(run)
        for phrase in ("PUE 1.125 included", "at 0.05255 kg CO2e", "for 300 hours"):
            assert phrase in paper
    run = estimate_run({"chip_hours": 1_234_567, "hardware": "H100", "site_country": "FR"}, database)
    assert "| accelerator-hours | 1,234,567 h |" in disclosure.markdown(run)
    run = estimate_run({"chip_hours": 1_234_567, "energy_kwh": 1e6, "site_country": "FR"}, database)
    assert "accelerator-hours | 1,234,567 |" in disclosure.eu(run)
    assert "accelerator-hours" not in disclosure.markdown(run)  # plays no part beside a measured energy


def test_a_model_card_states_grams(run: dict[str, Any]) -> None:
    block = yaml.safe_load(disclosure.model_card({**run, "training_type": "fine-tuning"}))["co2_eq_emissions"]
    assert block["emissions"] == pytest.approx(run["co2e_gross_t"] * 1e6, abs=1)  # t to g
    ends = quantities.mass_span(run["co2e_gross_t_p05"], run["co2e_gross_t_p95"])
    assert f"90 % interval {ends}" in block["source"]
    assert block["training_type"] == "fine-tuning"
    assert run["dataset_version"] in block["source"]
    assert set(block) <= {
        "emissions",
        "source",
        "training_type",
        "geographical_location",
        "hardware_used",
    }


def test_latex_cites_the_entries_that_it_brings(run: dict[str, Any]) -> None:
    text = disclosure.latex(run)
    paragraph = text.split("\n\n", 1)[0]
    cited = set(re.findall(r"\\cite\{([^}]+)\}", paragraph))
    assert cited == set(re.findall(r"@misc\{([^,]+),", text))
    assert cited == set(re.findall(r"@misc\{([^,]+),", disclosure.bibtex(run)))


def test_every_form_says_that_a_run_was_fine_tuning(run: dict[str, Any], schema: JsonStrictValidator) -> None:
    tuned = {**run, "training_type": "fine-tuning"}
    several = {**disclosure.summed([run, run]), "training_type": "fine-tuning"}
    for form in (disclosure.markdown, disclosure.latex):
        assert "was fine-tuned" in form(tuned)
        assert "Fine-tuning used" in form(tuned)
        assert "2 fine-tuning runs" in form(several)
        assert "fine-tun" not in form(run).lower()
        assert "was trained" in form(run)
    assert "operational CO$_2$e of fine-tuning." in disclosure.latex(tuned)
    assert "| Kind of training | fine-tuning |" in disclosure.eu(tuned)
    for each in (tuned, several):
        text = disclosure.cyclonedx(each)
        assert schema.validate_str(text) is None
        assert set(re.findall(r'"activity": "([^"]+)"', text)) == {"fine-tuning"}
    objects = spdx.SHACLObjectSet()
    spdx.JSONLDDeserializer().read(io.BytesIO(disclosure.spdx(tuned).encode()), objects)
    package: Any
    (package,) = objects.foreach_type("ai_AIPackage")
    (spent,) = package.ai_energyConsumption.ai_finetuningEnergyConsumption
    assert spent.ai_energyQuantity == pytest.approx(run["energy_mwh"] * 1000, abs=1e-3)


@pytest.fixture
def schema(monkeypatch: pytest.MonkeyPatch) -> JsonStrictValidator:
    """The schema of CycloneDX, with the grammar of addresses that is installed apart."""
    monkeypatch.setattr(
        sys, "path", [*sys.path, str(Path(sys.prefix) / "apart")]
    )  # last: an old DuckDB is there
    grammar = importlib.import_module("rfc3987_syntax")

    def is_address(text: object) -> bool:
        return not isinstance(text, str) or bool(grammar.is_valid_syntax("iri_reference", text))

    monkeypatch.setitem(Draft7Validator.FORMAT_CHECKER.checkers, "iri-reference", (is_address, ()))
    return JsonStrictValidator(SchemaVersion.V1_6)


def test_cyclonedx_is_valid_by_its_schema(run: dict[str, Any], schema: JsonStrictValidator) -> None:
    text = disclosure.cyclonedx(run)
    assert schema.validate_str(text) is None
    address = {"type": "website", "url": "no address"}
    assert schema.validate_str(json.dumps(json.loads(text) | {"externalReferences": [address]})) is not None
    (component,) = json.loads(text)["components"]
    (spent,) = component["modelCard"]["considerations"]["environmentalConsiderations"]["energyConsumptions"]
    assert spent["activityEnergyCost"]["value"] == pytest.approx(run["energy_mwh"] * 1000, abs=1e-3)
    assert spent["co2CostEquivalent"]["value"] == pytest.approx(run["co2e_gross_t"], abs=1e-6)


def test_spdx_is_valid_by_its_model(run: dict[str, Any]) -> None:
    objects = spdx.SHACLObjectSet()
    spdx.JSONLDDeserializer().read(io.BytesIO(disclosure.spdx(run).encode()), objects)
    package: Any
    (package,) = objects.foreach_type("ai_AIPackage")
    (training,) = package.ai_energyConsumption.ai_trainingEnergyConsumption
    assert training.ai_energyQuantity == pytest.approx(run["energy_mwh"] * 1000, abs=1e-3)
    assert training.ai_energyUnit.endswith("kilowattHour")
    assert not objects.missing_ids


NAMES = [
    r"50% & #1 $x$ {y} ~t ^h \b_c", "[brackets]", "*star", "a--b---c ?`x`", '<tag> |pipe| "q"', "Łódź Öß ñ",
    r"\iffalse", r"a\%b", "%", "",
]  # fmt: skip


@pytest.mark.parametrize("number", [1, len(NAMES)])
def test_latex_compiles(run: dict[str, Any], tmp_path: Path, number: int) -> None:
    """One run and a sum of runs, whose first cell follows the end of a row."""
    made = [{**run, "model": name} for name in NAMES]
    for text in [disclosure.latex(disclosure.summed(made[at : at + number])) for at in range(0, 10, number)]:
        assert not re.search(r"\\\\\s*[\[*]", text)
        assert not re.search(r"--|[?!]`|[<>|]", text.split("\\iffalse")[0])
        assert not text.startswith(disclosure.FOR_OTHERS)
        if engine := shutil.which("pdflatex"):
            (tmp_path / "x.tex").write_text(
                f"\\documentclass{{article}}\\begin{{document}}{text}\\end{{document}}", encoding="utf-8"
            )
            done = subprocess.run(
                [engine, "-halt-on-error", "-interaction=nonstopmode", "x.tex"],
                cwd=tmp_path, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout[-2000:]
    assert disclosure.latex({**run, "model": "日本"}).startswith(disclosure.FOR_OTHERS)


def test_latex_has_no_bare_special_character(run: dict[str, Any]) -> None:
    text = disclosure.latex(run)
    assert text.count("\\begin") == text.count("\\end") == 2
    for mark in "_%#":
        for before, after in pairwise(text):
            if after == mark:
                assert before in "\\$", text  # $_2$ is the subscript of CO2e


CODE_NAMES = (
    "flop_by_era", "operator_hourly", "chips_x_hours", "watts_per_chip", "chip_hours", "gross_kg_per_kwh",
    "training_locations", "country_year", "hardware_mix", "measured_ratio", "co2e_gross_t", "energy_mwh",
    " in FR",
)  # fmt: skip


def test_a_report_uses_words(run: dict[str, Any]) -> None:
    forms = (disclosure.markdown, disclosure.latex, disclosure.cyclonedx, disclosure.spdx, disclosure.eu)
    texts = [form(run) for form in forms] + [disclosure.model_card(run)]
    for text in texts:
        for name in CODE_NAMES:
            assert name not in text.replace("\\_", "_")


def test_every_basis_has_words(build: Build) -> None:
    factors = ", ".join(f"'{name}'" for name in words.FACTORS)
    bases = build.query(f"select basis from method where factor in ({factors}) and fallback_rank is not null")
    assert {basis for (basis,) in bases} <= set(words.bases())


def test_a_sum_of_runs_adds_the_ends_of_their_intervals(run: dict[str, Any]) -> None:
    total = disclosure.summed([run, run, run])
    for column in ("energy_mwh", "co2e_gross_t"):
        for end in ("", "_p05", "_p95"):
            assert total[column + end] == pytest.approx(3 * run[column + end])
    known = run | {"co2e_net_t": 0.5, "co2e_net_t_p05": 0.4, "co2e_net_t_p95": 0.6}
    assert disclosure.summed([known, known])["co2e_net_t_p95"] == pytest.approx(1.2)
    assert disclosure.summed([run]) == run
    with pytest.raises(disclosure.NotAnEstimateError, match="one version of the dataset"):
        disclosure.summed([run, run | {"dataset_version": "0"}])


def test_an_unknown_net_is_said_to_be_unknown_in_every_form(run: dict[str, Any]) -> None:
    unknown = run | dict.fromkeys(("co2e_net_t", "co2e_net_t_p05", "co2e_net_t_p95", "net_basis"))
    for estimate in (unknown, disclosure.summed([unknown, run])):
        assert estimate["co2e_net_t"] is None
        for form in (disclosure.markdown, disclosure.latex, disclosure.cyclonedx, disclosure.spdx):
            assert "not known" in form(estimate)
    assert disclosure.parse(json.dumps(unknown)) == unknown


def test_every_form_takes_a_sum(run: dict[str, Any], schema: JsonStrictValidator) -> None:
    total = disclosure.summed([run | {"model": "one"}, run | {"model": "two"}])
    for form in (disclosure.markdown, disclosure.latex):
        assert all(name in form(total) for name in ("one", "two", "total"))
    assert schema.validate_str(disclosure.cyclonedx(total)) is None
    objects = spdx.SHACLObjectSet()
    spdx.JSONLDDeserializer().read(io.BytesIO(disclosure.spdx(total).encode()), objects)
    assert "| Runs | 2, summed." in disclosure.eu(total)
    grams = yaml.safe_load(disclosure.model_card(total))["co2_eq_emissions"]["emissions"]
    assert grams == pytest.approx(2e6 * run["co2e_gross_t"], rel=1e-3)


REJECTS = [Reject(place=Place(line=line, row=line - 1), reason="'36h', expected a number") for line in (4, 5)]
# What two runs differ in, what is left out, what a sum of them says in every form, and what it does not.
SUMS: dict[str, tuple[dict[str, Any], list[Reject], list[str], list[str]]] = {
    "intensities of two kinds": (
        {"intensity_basis": "lifecycle"},
        [],
        ["on grid intensities of different kinds (1 run direct, 1 run life-cycle), so the sum compares with "
         "no figure of one kind"],
        ["after Patterson et al. 2021 (arXiv:2104.10350);"],
    ),
    "rows that are left out": (
        {},
        REJECTS,
        ["2 of 4 rows of the input could not be used and are left out of these figures (line 4, row 3: "
         "'36h', expected a number; line 5, row 4: '36h', expected a number)"],
        [],
    ),
    "a reason with advice": (
        {},
        [Reject(place=Place(line=2, row=1), reason="'Gogle' is not known. Known: AIST, ALCF")],
        ["(line 2, row 1: 'Gogle' is not known)"],
        ["AIST"],
    ),
    "years and places that differ": (
        {"cloud_region": None, "site_country": "FR"},
        [],
        ["kg CO2e per kWh (2025; "],
        ["2 runs in"],
    ),
    "a country whose parts differ": (
        {"within_country": "Parts of Canada may differ: give the province."},
        [],
        ["Parts of Canada may differ: give the province"],
        [],
    ),
}  # fmt: skip


def forms_of(run: dict[str, Any]) -> dict[str, str]:
    """The text of a run in every form, as a reader sees it; LaTeX without its escapes."""
    latex = disclosure.latex(run).replace("CO$_2$e", "CO2e").replace("~\\cite{patterson2021carbon}", "")
    card = yaml.safe_load(disclosure.model_card(run))["co2_eq_emissions"]["source"]
    spdx_text = json.loads(disclosure.spdx(run))["@graph"][2]["comment"]
    return {
        "markdown": disclosure.markdown(run), "latex": latex, "model card": card, "eu": disclosure.eu(run),
        "cyclonedx": disclosure.cyclonedx(run), "spdx": spdx_text,
    }  # fmt: skip


@pytest.mark.parametrize("case", SUMS)
def test_a_sum_says_what_its_runs_differ_in_and_what_it_lacks(build: Build, case: str) -> None:
    change, rejects, expected, absent = SUMS[case]
    database = build.directory / "emissions.duckdb"
    run = estimate_run(RUN | {"cloud_region": "us-central1", "started": "2025-03"}, database)
    total = dict(disclosure.summed([run, run | change], rejects))
    for form, text in forms_of(total).items():
        for says in expected if form != "cyclonedx" else ():  # it holds the runs, one by one
            assert says in text, form
        assert not [says for says in absent if says in text], form


# Where a run was, and the words of every form for what its grid intensity is.
GRIDS: dict[str, dict[str, Any]] = {
    "world average in that year": {},
    "the country's grid": {"site_country": "FR"},
    "the grid of the region or state": {"cloud_region": "us-central1"},
    "as stated": {"carbon_intensity_g_per_kwh": 52.5},
}


@pytest.mark.parametrize("basis", GRIDS)
def test_every_form_says_what_the_grid_intensity_is(build: Build, basis: str) -> None:
    database = build.directory / "emissions.duckdb"
    one = estimate_run(
        {"hardware": "H100", "chips": 8, "training_hours": 20, "started": "2024"} | GRIDS[basis], database
    )
    other = estimate_run({"energy_kwh": 5, "site_country": "DE", "started": "2024"}, database)
    for form, text in forms_of(one).items():
        assert basis in text, form
    assert re.search(rf"kg CO2e per kWh \({basis}(, \d{{4}})?\), ", disclosure.markdown(one))
    for form, text in forms_of(dict(disclosure.summed([one, other, other]))).items():
        assert basis in text, form
        assert "the country's grid" in text, form
    header, *runs = [
        line for line in disclosure.markdown(disclosure.summed([one, other])).splitlines() if line[:1] == "|"
    ]
    assert "grid intensity (kg/kWh), year, basis" in header
    assert basis in runs[1]


def test_a_report_names_only_ways_that_occur_and_says_what_is_estimated(build: Build) -> None:
    database = build.directory / "emissions.duckdb"
    computed = estimate_run({"chips": 8, "training_hours": 20, "site_country": "FR"}, database)
    given = estimate_run({"energy_kwh": 5, "site_country": "FR"}, database)
    metered = given | {"metering": "metered: whole nodes"}
    power, unstated = "accelerator-hours x power", "measured energy (how is not stated)"
    for runs, how in (
        ([computed, computed], f"each run's {power} x PUE;"),
        ([computed, metered], f"each run's metered energy, or its {power}, x PUE;"),
        ([computed, given], f"each run's {unstated}, or its {power}, x PUE;"),
    ):
        text = disclosure.markdown(disclosure.summed(runs))
        assert f"(arXiv:2104.10350); {how}" in text
        assert " runs in France used an estimated" in text
    text = disclosure.markdown(computed)
    assert (
        "was trained on 8 accelerators (kind not stated) in France for 20 hours. Training used an estimated"
        in text
    )
    assert "Training used an estimated" not in disclosure.markdown(metered)
    for run in (computed, metered, disclosure.summed([computed, computed])):
        paragraph = disclosure.markdown(run).partition("\n\n")[0]
        assert "caused an estimated" in paragraph
        assert "  " not in paragraph
    assert "8 accelerators (kind not stated)" in disclosure.eu(computed)


def test_a_sum_lists_its_hardware_and_places_with_their_runs(build: Build) -> None:
    database = build.directory / "emissions.duckdb"
    one = estimate_run(RUN | {"cloud_region": "us-central1"}, database)
    other = estimate_run({"energy_kwh": 5, "site_country": "FR"}, database)
    total = disclosure.summed([one, one, other])
    card = yaml.safe_load(disclosure.model_card(total))["co2_eq_emissions"]
    hardware = (
        "512 x NVIDIA H100 SXM5 80GB (assumed, as the variant was not stated) (2 runs); not stated (1 run)"
    )
    location = "us-central1, United States (2 runs); France (1 run)"
    assert (card["hardware_used"], card["geographical_location"]) == (hardware, location)
    assert f"hardware | {hardware} |" in disclosure.eu(total)
    assert f"does not ask for | {location} |" in disclosure.eu(total)


def test_a_kind_of_training_that_is_not_stated_is_not_guessed(build: Build, tmp_path: Path) -> None:
    runs = tmp_path / "runs.csv"
    runs.write_text("model,energy_kwh\nsft,1\nbert-ft,2\n", encoding="utf-8")
    database = ("--database", build.directory / "emissions.duckdb")
    done = ote("report", runs, "--as", "model-card", *database)
    assert "training_type" not in yaml.safe_load(done.stdout)["co2_eq_emissions"]
    assert "give --training-type pre-training or fine-tuning" in done.stderr
    for kind in ("pre-training", "fine-tuning"):
        told = ote("report", runs, "--as", "model-card", "--training-type", kind, *database)
        assert yaml.safe_load(told.stdout)["co2_eq_emissions"]["training_type"] == kind
        assert told.stderr == ""
    for form in ("markdown", "latex", "eu", "spdx", "cyclonedx"):
        assert "pre-training" not in ote("report", runs, "--as", form, *database).stdout


@pytest.mark.parametrize("text", ["None", "nan", "N/A", "[N/A]", "null", " none "])
def test_a_word_for_nothing_is_no_hardware(build: Build, text: str) -> None:
    given = {"energy_kwh": 5, "site_country": "FR", "hardware": text}
    run = estimate_run(given, build.directory / "emissions.duckdb")
    assert run["hardware_name"] is None
    assert "hardware_used" not in disclosure.model_card(run)


def test_small_amounts_are_not_rounded_away(build: Build) -> None:
    """0.001 kWh at 433 g/kWh are 0.433 g; and 3.09e-5 kWh are not 0."""
    given = {"energy_kwh": 0.001, "pue": 1, "carbon_intensity_g_per_kwh": 433}
    run = estimate_run(given, build.directory / "emissions.duckdb")
    card = yaml.safe_load(disclosure.model_card(run))["co2_eq_emissions"]
    assert card["emissions"] == pytest.approx(0.433)
    assert "1.00 Wh" in disclosure.markdown(run)
    run |= {"energy_mwh": 3.09e-8, "co2e_gross_t": 6.68e-9}
    (component,) = json.loads(disclosure.cyclonedx(run))["components"]
    (spent,) = component["modelCard"]["considerations"]["environmentalConsiderations"]["energyConsumptions"]
    assert spent["activityEnergyCost"]["value"] == pytest.approx(3.09e-5)
    assert spent["co2CostEquivalent"]["value"] == pytest.approx(6.68e-9)
    assert '"ai_energyQuantity": 3.09e-05' in disclosure.spdx(run)


def test_the_command_reads_what_estimate_printed(build: Build, tmp_path: Path) -> None:
    options = ("--hardware", "V100", "--chips", "8", "--hours", "100", "--json")
    printed = ote("estimate", *options, "--database", build.directory / "emissions.duckdb").stdout
    file = tmp_path / "run.json"
    file.write_text(printed, encoding="utf-8")
    card = ote("report", file, "--as", "model-card")
    assert (card.returncode, yaml.safe_load(card.stdout).keys()) == (0, {"co2_eq_emissions"})
    other = json.dumps(json.loads(printed) | {"intensity_basis": "marginal"})
    for text, says in (
        ("{}", "energy_mwh"),
        ("x", "no JSON"),
        ("[1]", "row 1: 1, expected an object"),
        (other, "intensity_basis 'marginal', expected one of direct"),
    ):
        file.write_text(text, encoding="utf-8")
        refused = ote("report", file)
        assert refused.returncode == 2
        assert says in refused.stderr
        assert "Traceback" not in refused.stderr
    assert ote("report", tmp_path / "none.json").returncode == 2
