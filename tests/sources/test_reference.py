"""Curated facts: every file is taken as it is, and each kind of wrong row is refused by line and column."""

import csv
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ote import catalog
from ote.ingestion import curated
from ote.ingestion.facts import BadReferenceError
from ote.ingestion.spelling import spelling_key

RUNS = catalog.tables()["raw.training_runs"]
NEW = {
    "run_id": "my-run",
    "model": "My Model",
    "hardware": "NVIDIA H100 SXM5 80GB",
    "chips": "512",
    "training_hours": "300",
    "training_flop": "2e23",
    "published_date": "2024-05-01",
    "source_title": "My paper",
    "source_url": "https://example.org/paper",
    "source_locator": "Section 3",
    "verified": "primary",
}


def add(facts: Path, **cells: str) -> int:
    """Append a run to training_runs.csv; the line that it stands on."""
    path = facts / "training_runs.csv"
    columns = [column.name for column in RUNS.columns]
    with path.open("a", newline="", encoding="utf-8") as file:
        csv.DictWriter(file, columns, lineterminator="\n").writerow(NEW | cells)
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("table", curated.file_tables(), ids=lambda table: table.name)
def test_every_curated_file_is_taken_as_it_is(table: catalog.Table, facts: Path) -> None:
    frame = curated.read(facts, table)
    with (facts / f"{table.stem}.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert frame.height == len(rows)
    for name in frame.columns:
        empty = sum(row[name] == "" for row in rows)
        assert frame[name].null_count() == empty, name
        if frame[name].dtype == pl.Float64:
            assert frame[name].drop_nulls().to_list() == [float(r[name]) for r in rows if r[name]]


def test_a_run_is_added_by_adding_a_row(facts: Path) -> None:
    add(facts)
    row = curated.read(facts, RUNS).filter(pl.col("run_id") == "my-run").row(0, named=True)
    assert (row["chips"], row["training_hours"], row["chip_hours"], row["pue"]) == (512, 300.0, None, None)


REFUSED: dict[str, tuple[dict[str, str], str, tuple[str, ...]]] = {
    "parts of a chip are no chips": (
        {"hardware": "TPU v3-8"},
        "hardware",
        ("'TPU v3-8' counts parts of a chip", "Write TPU v3, and 4 chips for each"),
    ),
    "unknown hardware names the nearest": (
        {"hardware": "NVIDIA H100 SXN5 80GB"},
        "hardware",
        ("'NVIDIA H100 SXN5 80GB' is not known", "NVIDIA H100 SXM5 80GB", "hardware_aliases.csv"),
    ),
    "kilowatts for watts": (
        {"watts_per_chip": "0.7", "power_basis": "measured_system"},
        "watts_per_chip",
        ("0.7 lies outside 5 to 30000 in watt", "Below 5, the value is in kW"),
    ),
    "power of the whole server for that of a chip": (
        {"watts_per_chip": "5600", "power_basis": "measured_system"},
        "watts_per_chip",
        ("8.00 times the 700 W", "per chip"),
    ),
    "power without its basis": ({"watts_per_chip": "650"}, "watts_per_chip", ("power_basis",)),
    "percent for a ratio": ({"pue": "110"}, "pue", ("110 lies outside 1 to 2.5", "Check the unit")),
    "grams for kilograms": (
        {"gross_kg_per_kwh": "429"},
        "gross_kg_per_kwh",
        ("429 lies outside 0 to 1.3 in kilogram / kilowatt_hour",),
    ),
    "chip-hours that are the hours of one chip": (
        {"chip_hours": "300"},
        "chip_hours",
        ("300 contradicts 512 chips x 300 h = 153600", "hours of one chip given as all"),
    ),
    "chips multiplied twice": (
        {"chip_hours": "78643200"},
        "chip_hours",
        ("contradicts", "chips multiplied twice"),
    ),
    "days for hours": ({"chip_hours": "6400"}, "chip_hours", ("It looks like days for hours",)),
    "more FLOP than the chips can do": (
        {"training_flop": "2e26"},
        "chip_hours",
        ("times the peak of the chip",),
    ),
    "billions for parameters": (
        {"parameters": "70"},
        "parameters",
        ("70 is less than any run with facts has", "billions"),
    ),
    "text for a number": ({"chips": "many"}, "chips", ("'many' is not a whole number",)),
    "a fraction of a chip": ({"chips": "512.5"}, "chips", ("'512.5' is not a whole number",)),
    "a comma for decimals": (
        {"training_hours": "300,5"},
        "training_hours",
        ("'300,5' is not a number", "Use a point for decimals"),
    ),
    "not a number": ({"training_flop": "nan"}, "training_flop", ("'nan' is not a number",)),
    "infinity": ({"training_flop": "1e400"}, "training_flop", ("1e400 lies outside",)),
    "a negative": ({"training_hours": "-3"}, "training_hours", ("-3 lies outside",)),
    "an id with capitals and blanks": ({"run_id": "My Run!"}, "run_id", ("a-z, 0-9, dots and hyphens",)),
    "an id that leads elsewhere": ({"run_id": "../../etc"}, "run_id", ("is not an id",)),
    "an id with an accent": ({"run_id": "é"}, "run_id", ("is not an id",)),
    "a region in another country": (
        {"site_country": "FR", "cloud_region": "us-central1"},
        "site_country",
        ("'FR', but us-central1 lies in US",),
    ),
    "a site in another country": (
        {"site_country": "DE", "site": "Jean Zay (IDRIS)"},
        "site_country",
        ("'DE', but Jean Zay (IDRIS) lies in FR",),
    ),
    "a region of another operator": (
        {"provider": "Amazon Web Services", "cloud_region": "us-central1"},
        "provider",
        ("us-central1 is a region of Google",),
    ),
    "a duplicate id": ({"run_id": "t5-11b"}, "run_id", ("the same run_id as line",)),
    "a missing source": ({"source_url": ""}, "source_url", ("empty, but every row needs it",)),
    "a missing locator": ({"source_locator": ""}, "source_locator", ("empty",)),
    "a source that is no address": ({"source_url": "my paper"}, "source_url", ("http",)),
    "an unknown region": (
        {"cloud_region": "us-centrall1"},
        "cloud_region",
        ("us-central1", "regions.csv"),
    ),
    "an unknown country": (
        {"site_country": "Germoney"},
        "site_country",
        ("'Germoney' is not known", "Germany", "countries.csv"),
    ),
    "a country by its name": ({"site_country": "France"}, "site_country", ("'France' is written 'FR' here",)),
    "one unknown country of two": (
        {"developer_country": "US;XX"},
        "developer_country",
        ("'XX' is not known",),
    ),
    "a country by another code": ({"developer_country": "USA"}, "developer_country", ("written 'US' here",)),
    "an unknown operator": (
        {"provider": "Googol"},
        "provider",
        ("'Googol' is not known", "Google", "provider_aliases.csv"),
    ),
    "an operator by another name": ({"provider": "AWS"}, "provider", ("written 'Amazon Web Services' here",)),
    "an unknown site": ({"site": "Council Bluff, Iowa"}, "site", ("Council Bluffs, Iowa",)),
    "a value that is no choice": ({"verified": "yes"}, "verified", ("'yes' is not one of primary, epoch",)),
    "a day that is none": ({"published_date": "2024-02-30"}, "published_date", ("YYYY-MM-DD",)),
    "no date at all": ({"published_date": ""}, "published_date", ("started_month", "PUE")),
    "a day in the future": ({"published_date": "2030-12-30"}, "published_date", ("lies in the future",)),
    "a day of no model": ({"published_date": "2199-01-01"}, "published_date", ("1940-01-01 to 2030-12-31",)),
    "a month that is none": ({"started_month": "2024-13"}, "started_month", ("YYYY-MM",)),
    "a start after the publication": (
        {"started_month": "2024-06"},
        "started_month",
        ("after the publication",),
    ),
    "net above gross": (
        {"gross_kg_per_kwh": "0.1", "net_kg_per_kwh": "0.4"},
        "net_kg_per_kwh",
        ("exceeds gross", "swapped"),
    ),
    "a card of homework": (
        {"source_title": "Homework 3: Green AI, model card"},
        "source_title",
        ("'Homework' names an exercise", "cite where its developer describes it"),
    ),
    "a dummy model": ({"model": "dummy-bert"}, "source_title", ("'dummy' names an exercise",)),
    "an audit of an invented run": (
        {"source_locator": "section Green AI carbon accounting audit"},
        "source_title",
        ("'carbon accounting audit'",),
    ),
    "a course project": ({"source_title": "CS229 course project"}, "source_title", ("'course project'",)),
    "a stray space": ({"developer": "Me "}, "developer", ("begins or ends with a space",)),
}


@pytest.mark.parametrize(("cells", "column", "says"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_row_is_refused_by_line_and_column(
    facts: Path, cells: dict[str, str], column: str, says: tuple[str, ...]
) -> None:
    line = add(facts, **cells)
    with pytest.raises(BadReferenceError) as refused:
        curated.read(facts, RUNS)
    message = str(refused.value)
    assert str(facts / "training_runs.csv") in message
    assert f"line {line}, column {column} (" in message
    for words in says:
        assert words in message


def test_a_run_may_reach_the_peak_and_no_more(facts: Path) -> None:
    """10 H100 x 1000 h x 3600 s x 1978.9e12 FLOP/s of FP8 are 7.12404e22 FLOP."""
    ten = {"chips": "10", "training_hours": "1000"}
    add(facts, **ten, training_flop="7.1240e22")
    assert "my-run" in curated.read(facts, RUNS)["run_id"]
    add(facts, **ten, run_id="more", model="More", source_locator="4", training_flop="7.1241e22")
    with pytest.raises(BadReferenceError, match=r"1\.0 times the peak of the chip"):
        curated.read(facts, RUNS)


@pytest.mark.parametrize(
    "known", [{"hardware": NEW["hardware"]}, {"chips": "512"}, {"chip_hours": "512"}, {}]
)
def test_a_run_that_cannot_be_computed_needs_no_date(facts: Path, known: dict[str, str]) -> None:
    nothing = dict.fromkeys(("hardware", "chips", "training_hours", "training_flop", "published_date"), "")
    add(facts, **nothing | known)
    assert "my-run" in curated.read(facts, RUNS)["run_id"]


def test_the_same_facts_under_another_id_are_refused(facts: Path) -> None:
    first = add(facts)
    second = add(facts, run_id="my-run-again")
    with pytest.raises(BadReferenceError, match=f"line {second}, column model .*line {first}"):
        curated.read(facts, RUNS)


def test_all_problems_are_named_at_once(facts: Path) -> None:
    lines = [add(facts, run_id="a", pue="110"), add(facts, run_id="b", chips="0")]
    with pytest.raises(BadReferenceError) as refused:
        curated.read(facts, RUNS)
    assert "2 problems" in str(refused.value)
    assert all(f"line {line}," in str(refused.value) for line in lines)


@pytest.mark.parametrize(
    ("cells", "columns"),
    [
        ({"pue": "110", "site_country": "Atlantis", "published_date": "2199-01-01"},
         ["pue", "published_date", "site_country"]),
        ({"chips": "many", "training_hours": "9", "chip_hours": "0.001"}, ["chips", "chip_hours"]),
        ({"published_date": "1.5.2024", "provider": "Amazonia"}, ["published_date", "provider"]),
        ({"power_basis": "guessed", "watts_per_chip": "400"}, ["power_basis"]),
        ({"hardware": " H100", "watts_per_chip": "60", "power_basis": "measured_system"}, ["hardware"]),
        ({"run_id": "gpt-3-175b ", "site": "nowhere"}, ["run_id", "site"]),
        ({"training_flop": "1e27", "net_kg_per_kwh": "0.5", "gross_kg_per_kwh": "0.1", "model": " M"},
         ["model", "chip_hours", "net_kg_per_kwh"]),
    ],
)  # fmt: skip
def test_all_problems_of_one_row_are_named_at_once(
    facts: Path, cells: dict[str, str], columns: list[str]
) -> None:
    """A rule over several cells is judged where none of them is wrong by itself."""
    line = add(facts, **cells)
    with pytest.raises(BadReferenceError) as refused:
        curated.read(facts, RUNS)
    found = re.findall(r"line (\d+), column (\w+) ", str(refused.value))
    assert sorted(found) == sorted((str(line), column) for column in columns), str(refused.value)


def test_a_wrong_number_of_an_accelerator_leaves_the_runs_to_be_judged(facts: Path) -> None:
    hardware = facts / "hardware.csv"
    text = hardware.read_text(encoding="utf-8")
    hardware.write_text(
        re.sub(r"(nvidia-h100-sxm5-80gb,.*?,)(\d+\.?\d*)", r"\1lots", text, count=1), encoding="utf-8"
    )
    add(facts, site_country="Atlantis")
    found = curated.problems(facts)
    assert any("lots" in text for text in found)
    assert any("Atlantis" in text for text in found)


def test_a_line_is_counted_through_cells_that_span_lines(facts: Path) -> None:
    add(facts, run_id="a", location="two\nlines")
    line = add(facts, run_id="b", pue="0.9")
    with pytest.raises(BadReferenceError, match=f"line {line}, column pue"):
        curated.read(facts, RUNS)


FILES: dict[str, tuple[Any, str]] = {
    "a renamed column": (lambda b: b.replace(b"chip_hours", b"gpu_hours", 1), "unknown \\['gpu_hours'\\]"),
    "a row with a cell too many": (lambda b: b + b"a," * 40 + b"\n", "cells, expected"),
    "another encoding": (lambda b: b + "é".encode("latin-1"), "not UTF-8"),
    "an unclosed quote": (lambda b: b + b'"a', "quotes"),
    "an empty file": (lambda b: b"", "the header must be"),
}


@pytest.mark.parametrize(("damage", "says"), FILES.values(), ids=FILES)
def test_a_damaged_file_is_refused(facts: Path, damage: Any, says: str) -> None:
    path = facts / "training_runs.csv"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BadReferenceError, match=says):
        curated.read(facts, RUNS)


def test_a_missing_file_is_refused(facts: Path) -> None:
    (facts / "training_runs.csv").unlink()
    with pytest.raises(BadReferenceError, match=r"training_runs\.csv: missing"):
        curated.read(facts, RUNS)


def test_a_reference_to_nothing_is_refused(facts: Path) -> None:
    path = facts / "system_power.csv"
    path.write_text(path.read_text().replace("nvidia-gb200,", "nvidia-gb2000,", 1))
    with pytest.raises(BadReferenceError, match=r"'nvidia-gb2000' is not known.*nvidia-gb200.*hardware\.csv"):
        curated.read(facts, catalog.tables()["raw.system_power"])


def test_a_region_in_no_country_is_refused(facts: Path) -> None:
    path = facts / "regions.csv"
    path.write_text(path.read_text().replace(",FR,", ",ZZ,", 1))
    with pytest.raises(BadReferenceError, match=r"column country \(GRA\): 'ZZ' is not.*countries\.csv"):
        curated.read(facts, catalog.tables()["raw.regions"])


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("x,arxiv,arXiv:2104.10350,", "'arXiv:2104.10350' is not a number like"),
        ("x,huggingface,bloom,same", "'bloom' is not a repository like"),
        ("x,huggingface,a/b,", "same or variant is expected for a repository"),
        ("x,arxiv,2104.10350,same", "nothing for a paper"),
        ("x,huggingface,BigScience/BLOOM,same", r"the model of bloom-176b as well \(line \d+\)"),
    ],
)
def test_an_identifier_of_another_form_or_of_two_runs_is_refused(facts: Path, row: str, says: str) -> None:
    path = facts / "run_identifiers.csv"
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{row},Title,https://example.org,README,primary\n")
    with pytest.raises(BadReferenceError, match=rf"run_identifiers\.csv: (.|\n)*{says}"):
        curated.read(facts, catalog.tables()["raw.run_identifiers"])


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("New Lab,Google Brain,US", "'Google Brain' belongs to 'Google' itself"),
        ("New Lab,New Lab,USA", "'USA' is written 'US' here"),
        ("New Lab,New Lab,GB;ZZ", "'ZZ' is not known"),
        ("Google,Google,US", "the same developer_name as line"),
    ],
)
def test_an_organisation_within_another_or_in_no_country_is_refused(facts: Path, row: str, says: str) -> None:
    with (facts / "organisations.csv").open("a", encoding="utf-8") as file:
        file.write(f"{row},Title,https://example.org,list,primary\n")
    with pytest.raises(BadReferenceError, match=rf"organisations\.csv: (.|\n)*{says}"):
        curated.read(facts, catalog.tables()["raw.organisations"])


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("s1-32b,s1-32b,distinct", "are one run, or listed both ways"),
        ("s1-32b,s1-1,distinct", "are one run, or listed both ways"),
        ("s1-1,s1,distinct", "'s1' is merged into another run"),
        ("s1,s1-1,distinct", "'s1' is merged into another run"),
        ("gpt-3-175b,s1-32b,merged", "'gpt-3-175b' is merged, but used in training_runs.csv"),
        ("s1-2,s1-32b,distinct", "'s1-2' is not known"),
        ("s1-1,s1-33b,distinct", "'s1-33b' is not known"),
    ],
)
def test_a_check_of_no_two_runs_or_a_merged_id_in_use_is_refused(facts: Path, row: str, says: str) -> None:
    with (facts / "run_relations.csv").open("a", encoding="utf-8") as file:
        file.write(f"{row},a reason,Title,https://example.org,list,primary\n")
    with pytest.raises(BadReferenceError, match=rf"run_relations\.csv: (.|\n)*{says}"):
        curated.read(facts, catalog.tables()["raw.run_relations"])


def test_the_key_of_spellings_is_that_of_the_queries(database: Any) -> None:
    for spelling in ("NVIDIA A100-SXM4 (80 GB)", "tpu_v5e", "H100"):
        ((key,),) = database.execute("select spelling_key(?)", [spelling]).fetchall()
        assert key == spelling_key(spelling)
