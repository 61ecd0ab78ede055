"""Files of runs as people have them: one reader for `ote estimate --batch` and `ote report`."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ote.answers import tables
from tests.conftest import Build, ote

RUNS = "model;hardware;chips;training_hours;energy_kwh\n"
EXCEL = b"\xef\xbb\xbfsep=;\r\n"
GERMAN = RUNS + "a;V100;8;72,5;124,5\nb;V100;8;1000;1.240,25\n"


@pytest.fixture
def database(build: Build) -> tuple[str, Path]:
    return "--database", build.directory / "emissions.duckdb"


def rows(text: str | bytes, ending: str = ".csv") -> list[dict[str, Any]]:
    content = text if isinstance(text, bytes) else text.encode()
    return [row for _, row in tables.read(content, ending).rows]


@pytest.mark.parametrize(
    "content",
    [
        GERMAN.encode(),
        GERMAN.encode("utf-16"),
        b"\xef\xbb\xbfsep=;\r\n" + GERMAN.replace("\n", "\r\n").encode(),
    ],
    ids=["semicolons", "UTF-16", "Excel"],
)
def test_a_spreadsheet_gives_the_same_numbers_to_both_commands(
    database: tuple[str, Path], tmp_path: Path, content: bytes
) -> None:
    """124.5 and 1240.25 kWh: 1364.75 kWh before PUE."""
    file, out = tmp_path / "runs.csv", tmp_path / "estimates.csv"
    file.write_bytes(content)
    done = ote("estimate", "--batch", file, "--out", out, *database)
    assert (done.returncode, done.stderr) == (0, "")
    assert pl.read_csv(out)["energy_kwh"].to_list() == [124.5, 1240.25]
    of_runs, of_estimates = ote("report", file, *database), ote("report", out, *database)
    assert of_runs.returncode == of_estimates.returncode == 0
    assert of_runs.stdout == of_estimates.stdout


@pytest.mark.parametrize(
    ("others", "cell", "number"),
    [
        ("1,5", "1.234,5", "1234.5"),
        ("1,5", "1.234.567", "1234567"),
        ("1,5", "1,234", "1.234"),
        ("1.5", "1.234", "1.234"),
        ("0,125", "0.125", "0.125"),
        ("12", "0,125", "0.125"),
        ("12", "1,2340", "1.2340"),
        ("1,5", "2,5E-3", "2.5E-3"),
        ("12", "1234", "1234"),
        ("1.234,5", "1.000", "1000"),
        ("1.234,5", "1,000", "1.000"),
        # either of two numbers
        ("1,5", "1.234", None),
        ("1.5", "1,234", None),
        ("12", "1.234", None),
        ("12", "1,234", None),
        ("12", "-12.345", None),
    ],
)
def test_a_number_is_never_guessed(others: str, cell: str, number: str | None) -> None:
    table = tables.read(f"energy_kwh;pue\n{others};1\n{cell};1\n".encode(), ".csv")
    taken = [row["energy_kwh"] for place, row in table.rows if place.row == 2]
    assert taken == ([] if number is None else [number])
    if number is None:
        (reject,) = table.rejects
        assert str(reject).startswith(f"line 3, row 2, energy_kwh: '{cell}' may be ")
        assert f"{cell}0 with one more decimal" in reject.reason
        assert rows(f"energy_kwh;pue\n{cell}0;1\n")  # the advice works


def test_names_are_not_numbers() -> None:
    assert rows("model;energy_kwh\n1.234;1,5\n") == [{"model": "1.234", "energy_kwh": "1.5"}]
    assert rows("model,energy_kwh\n1.234,1.234\n") == [{"model": "1.234", "energy_kwh": "1.234"}]


BAD = {
    ("x.json", ""): "empty; expected a JSON array with an object for each run",
    ("x.json", " \n"): "empty; expected a JSON array",
    ("x.json", "[]"): "no run in it; expected a JSON array",
    ("x.json", '"hi"'): "'hi' alone; expected a JSON array",
    ("x.json", "null"): "null alone; expected a JSON array",
    ("x.json", "12"): "12 alone; expected a JSON array",
    ("x.json", "[1, 2]"): "row 2: 2, expected an object: {",
    ("x.json", "[[1]]"): "row 1: a list, expected an object: {",
    ("x.json", '{"runs": [{"energy_kwh": 1}]}'): "a list is nested under the key 'runs'; expected",
    ("x.json", '[{"energy_kwh": {"value": 1}}]'): "row 1, energy_kwh: an object, expected text or a number",
    ("x.json", '[{"energy_kwh": 1}'): "no JSON (line 1",
    ("x.json", '[{"energy_kwh": NaN}]'): "NaN is not a JSON number",
    ("x.jsonl", ""): "empty; expected a JSON object for each run, one a line",
    ("x.jsonl", "1\n2\n"): "no JSON (line 2",
    ("x.csv", ""): "empty; expected a header such as hardware,chips",
    ("x.csv", '[{"energy_kwh": 1}]'): "JSON, not CSV; give the file a name that ends in .json",
    ("x.csv", "energy_kwh,energy_kwh\n1,2\n"): "the column 'energy_kwh' stands twice in the header",
    ("x.csv", "energy_kwh\n"): "there is a header and no run",
    ("x.csv", "model,energy_kwh\na\n"): "line 2, row 1: 1 cells, expected 2 as in the header; complete",
    ("x.parquet", ""): "this is not a Parquet file: it is empty",
    ("x.parquet", "energy_kwh\n1\n"): "this is not a Parquet file: it begins with 'energy_kwh",
}  # fmt: skip


@pytest.mark.parametrize(("name", "text"), BAD)
def test_a_file_without_runs_says_what_is_wrong_with_it(
    database: tuple[str, Path], tmp_path: Path, name: str, text: str
) -> None:
    file, out = tmp_path / name, tmp_path / "estimates.csv"
    file.write_text(text, encoding="utf-8")
    for done in (ote("estimate", "--batch", file, "--out", out, *database), ote("report", file, *database)):
        assert (done.returncode, done.stdout) == (2, "")
        assert BAD[name, text] in done.stderr
        assert str(file) in done.stderr
        assert not any(other in done.stderr for other in ("'json'", "CodeCarbon", "Traceback"))
    assert list(tmp_path.iterdir()) == [file]


def test_an_ending_in_capitals_is_the_same(database: tuple[str, Path], tmp_path: Path) -> None:
    file, out = tmp_path / "RUNS.CSV", tmp_path / "ESTIMATES.JSON"
    file.write_text("energy_kwh\n12\n", encoding="utf-8")
    assert ote("estimate", "--batch", file, "--out", out, *database).returncode == 0
    assert json.loads(out.read_text())[0]["energy_kwh"] == 12


FORMS = ("markdown", "latex", "model-card", "eu", "cyclonedx", "spdx")


@pytest.mark.parametrize(
    ("form", "ending"), [*((form, "csv") for form in FORMS), ("markdown", "json"), ("markdown", "jsonl")]
)
def test_a_report_names_the_rows_that_it_left_out(
    database: tuple[str, Path], tmp_path: Path, form: str, ending: str
) -> None:
    """The good row is reported in each form, with the number of the others and the reason of each."""
    file = tmp_path / f"runs.{ending}"
    runs = [
        {"model": "good", "energy_kwh": 12},
        {"model": "bad", "energy_kwh": "many"},
        {"model": "worse", "energy_kwh": -4, "pue": 9},
    ]
    lines = [json.dumps(run) for run in runs]
    if ending == "csv":
        pl.DataFrame(runs, strict=False).write_csv(file)
    else:
        file.write_text("\n".join(lines) if ending == "jsonl" else f"[{','.join(lines)}]", encoding="utf-8")
    done = ote("report", file, "--as", form, *database)
    assert done.returncode == 0
    plain = done.stdout.replace("\\_", "_")
    assert "2 of 3 rows of the input could not be used and are left out of these figures" in plain
    for says in ("row 2, energy_kwh: 'many': expected", "row 3, energy_kwh: '-4'", "row 3, pue: 9"):
        assert says in plain


@pytest.mark.parametrize("form", FORMS)
def test_a_report_of_all_rows_speaks_of_none_left_out(
    database: tuple[str, Path], tmp_path: Path, form: str
) -> None:
    whole = tmp_path / "whole.csv"
    whole.write_text("model,energy_kwh\ngood,12\n", encoding="utf-8")
    done = ote("report", whole, "--as", form, *database)
    assert done.returncode == 0
    assert "of the input" not in done.stdout
