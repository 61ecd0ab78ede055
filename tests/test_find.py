"""`ote find`: runs by words, filters and order; tables that fit, JSON and CSV for programs."""

import csv
import io
import json
import os
import re
import subprocess
from typing import Any

import pytest
from rich.cells import set_cell_size

from ote import catalog
from tests.conftest import OTE, Build, ote

COUNTRY = "site_country = '{0}' or list_contains(string_split(developer_country, ';'), '{0}')"


def found(build: Build, *arguments: str) -> list[dict[str, Any]]:
    done = ote("find", *arguments, "--json", "--database", build.directory / "emissions.duckdb")
    assert done.returncode == 0, done.stderr
    runs: list[dict[str, Any]] = json.loads(done.stdout)
    return runs


@pytest.mark.parametrize(
    ("options", "condition"),
    [
        (["--country", "France"], COUNTRY.format("FR")),
        (["--country", "cn"], COUNTRY.format("CN")),
        (["--year", "2022"], "year(published_date) = 2022"),
        (["--year", "2019-2021"], "year(published_date) between 2019 and 2021"),
        (["--domain", "vision"], "list_contains(string_split(domain, ','), 'vision')"),
        (["--hours", "disclosed"], "chip_hours_basis = 'disclosed'"),
        (["--hours", "published"], "chip_hours_basis in ('disclosed', 'chips_x_hours')"),
        (
            ["--hours", "disclosed", "--hours", "chips_x_hours"],
            "chip_hours_basis in ('disclosed', 'chips_x_hours')",
        ),
        (["--hours", "reported"], "energy_basis = 'reported'"),
        (["--covers", "part_of_run"], "covers = 'part_of_run'"),
        (["--min-energy", "500"], "energy_mwh >= 500"),
        (["--min-energy", "0.5GWh"], "energy_mwh >= 500"),
        (["--min-energy", "500000 kWh"], "energy_mwh >= 500"),
        (["--within", "2"], "energy_mwh_p95 / energy_mwh_p05 <= 4"),
        (
            ["--year", "2022", "--hours", "disclosed"],
            "year(published_date) = 2022 and chip_hours_basis = 'disclosed'",
        ),
    ],
)  # fmt: skip
def test_filters_agree_with_sql(build: Build, options: list[str], condition: str) -> None:
    expected = {row[0] for row in build.query(f"select run_id from emissions where {condition}")}
    assert expected
    assert {run["run_id"] for run in found(build, *options)} == expected


def estimates(build: Build) -> int:
    return len(build.query("from emissions"))


def test_words_find_names_developers_and_hardware(build: Build) -> None:
    assert {run["run_id"] for run in found(build, "llama", "2")} >= {"llama-2-70b", "llama-2-7b"}
    assert not [run for run in found(build, "llama", "2") if run["run_id"].startswith("llama-3")]
    seventy = {"llama-2-70b", "llama-3.1-70b", "llama-3.3-70b"}
    assert {run["run_id"] for run in found(build, "llama", "70b")} >= seventy
    assert found(build, "llama", "70b") == found(build, "70b", "llama")
    assert "t5-11b" in {run["run_id"] for run in found(build, "google", "t5")}
    assert all("OpenAI" in run["developer"].split(";") for run in found(build, "--developer", "openai"))
    of_google = found(build, "--organisation", "google")
    assert of_google == found(build, "--developer", "google")  # its laboratories, whatever their names
    assert {"DeepMind", "Google Brain"} <= {run["developer"] for run in of_google}
    assert {run["organisation"] for run in found(build, "google", "gopher")} == {"Google"}
    assert [run["run_id"] for run in found(build, "flan-t5-xxl-blip-2")] == ["blip-2"]  # its old id
    assert {run["hardware_id"] for run in found(build, "--hardware", "H100")} <= {
        row[0] for row in build.query("select hardware_id from hardware where name ilike '%h100%'")
    }
    assert found(build, "google") == found(build, "GOOGLE")


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("energy", lambda run: -(run["energy_mwh"] or 0)),
        ("co2e", lambda run: -(run["co2e_lifecycle_t"] or 0)),
        ("interval", lambda run: run["interval_factor"]),
        ("name", lambda run: run["model"].lower()),
    ],
)
def test_order_and_guesses_last(build: Build, sort: str, key: Any) -> None:
    runs = found(build, "--sort", sort)
    assert len(runs) == estimates(build)
    guesses = [run["is_guess"] for run in runs]
    assert guesses == sorted(guesses)
    assert [run["is_guess"] for run in runs] == [
        run["energy_mwh_p95"] / run["energy_mwh_p05"] > 100 for run in runs
    ]
    for group in (False, True):
        keys = [key(run) for run in runs if run["is_guess"] is group]
        assert keys == sorted(keys)


def test_programs_get_no_number_within_the_interval_of_a_guess(build: Build) -> None:
    runs = found(build)
    central = ("energy_mwh", "co2e_gross_t", "co2e_lifecycle_t")
    known = {
        run_id: values
        for run_id, *values in build.query(f"select run_id, {', '.join(central)} from emissions")
    }
    for run in runs:
        for column, value in zip(central, known[run["run_id"]], strict=True):
            low, high = run[f"{column}_p05"], run[f"{column}_p95"]
            hidden = value is not None and high > 100 * low
            assert run[column] == (None if hidden else value), run
            assert not hidden or run["null_because"].startswith("a guess: p95 is more than 100 times p05")
        assert run["null_because"] is None or None in (run[name] for name in central)
    (grok,) = found(build, "grok-4", "--covers", "one_run", "--year", "2025")[:1]
    database = ("--database", build.directory / "emissions.duckdb")
    assert grok["is_guess"]
    for command in (["find", grok["run_id"], "--csv"], ["find", grok["run_id"], "--json"]):
        printed = ote(*command, *database).stdout
        assert not any(str(value) in printed for value in known[grok["run_id"]])


def test_csv_has_what_json_has(build: Build) -> None:
    database = ("--database", build.directory / "emissions.duckdb")
    table = ote("find", "--country", "FR", "--csv", *database).stdout
    rows = list(csv.DictReader(io.StringIO(table)))
    runs = found(build, "--country", "FR")
    assert [row["run_id"] for row in rows] == [run["run_id"] for run in runs]
    energies = [float(row["energy_mwh"]) if row["energy_mwh"] else None for row in rows]
    assert energies == [run["energy_mwh"] for run in runs]
    assert {row["is_guess"] for row in rows} <= {"true", "false"}


@pytest.mark.parametrize("columns", [80, 119, 120, 200])
def test_the_table_fits_and_cuts_no_name(build: Build, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    done = ote("find", "--limit", "0", "--database", build.directory / "emissions.duckdb")
    lines = [line for line in done.stdout.splitlines() if " " in line]  # others are whole ids
    assert max(map(len, lines)) <= columns
    assert "…" not in done.stdout
    header = next(line for line in done.stdout.splitlines() if line.startswith("run "))
    width = header.index(header.split()[1])
    first = (set_cell_size(line, width) for line in done.stdout.splitlines())  # some letters are two wide
    names = "".join("".join(cell.split()) for cell in first)  # wrapped at spaces or not
    read = 0
    for run in found(build):
        read = names.index("".join(run["model"].split()), read)
    count = f"{estimates(build):,}"
    assert f"{count} runs, {count} shown." in done.stdout


@pytest.mark.parametrize("columns", [80, 120])
def test_every_run_id_is_unbroken(build: Build, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    printed = ote("find", "--limit", "0", "--database", build.directory / "emissions.duckdb").stdout
    pieces = set(re.split(r"\s+", printed))
    assert {run["run_id"] for run in found(build)} <= pieces


def test_counts_are_in_the_right_number(build: Build) -> None:
    database = ("--database", build.directory / "emissions.duckdb")
    assert "1 run, 1 shown." in ote("find", "gshard-600b", *database).stdout
    said = f"{estimates(build):,} runs, 20 shown; --limit 0 shows all."
    assert said in " ".join(ote("find", *database).stdout.split())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["lama"], "the nearest names: "),
        (["--hardware", "H1000"], "The nearest: NVIDIA H100"),
        (["--developer", "Gogle"], "no run with an estimate has it. The nearest: Google"),
        (["--country", "Germny"], "DE (Germany)"),
        (["--domain", "lang"], "Did you mean language?"),
        (["--covers", "one-run"], "Did you mean one_run?"),
        (["--hours", "disclos"], "Did you mean disclosed?"),
        (["--within", "200%"], "'200%': expected a number of 1 or more, such"),
        (["--within", "0.5"], "'0.5': expected a number of 1 or more, such"),
        (["--limit", "-1"], "'-1': expected a whole number of 0 or more"),
        (["--limit", "many"], "'many': expected a whole number of 0 or more"),
        (["zzzz"], "No run with an estimate matches."),
        (["--year", "22"], "--year 22: expected a year such as 2023"),
        (["--year", "2023-2020"], "the last year is before the first; write 2020-2023"),
        (["--country", "Germoney"], "--country 'Germoney' is not a known country"),
        (["--domain", "magic"], "--domain magic: expected one of "),
        (["--hours", "sure"], "--hours sure: expected one of published, disclosed, chips_x_hours"),
        (["--covers", "all"], "--covers all: expected one of one_run"),
        (["--min-energy", "much"], "--min-energy much: expected an energy such as 500 (MWh)"),
        (["--min-energy", "nan"], "--min-energy nan: expected an energy"),
        (["--within", "0.5"], "--within"),
        (["--sort", "size"], "--sort"),
        (["--limit", "-1"], "--limit"),
        (["--json", "--csv"], "--json and --csv: give one of them."),
    ],
)
def test_bad_input_gets_a_message_and_code_2(build: Build, arguments: list[str], says: str) -> None:
    done = ote("find", *arguments, "--database", build.directory / "emissions.duckdb")
    assert (done.returncode, says in done.stderr, "Traceback" in done.stderr) == (2, True, False), done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["find", "--limit", "0"],
        ["find", "--csv"],
        ["find", "--json"],
        ["why", "gpt-3", "--full"],
        ["where", "gpt-3"],
    ],
)
def test_a_reader_that_stops_ends_the_command_without_noise(build: Build, command: list[str]) -> None:
    process = subprocess.Popen(
        [*OTE, *command, "--database", str(build.directory / "emissions.duckdb")],
        cwd=catalog.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()  # as head does after its last line
    assert b"Traceback" not in process.stderr.read()
    assert process.wait() in (0, 141)  # never 1, which is a fault


def test_a_terminal_without_some_letters_and_without_color(build: Build) -> None:
    for command in (["find", "--limit", "0"], ["why", "gpt-3"], ["why", "gpt-3", "--full"]):
        done = subprocess.run(
            [*OTE, *command, "--database", str(build.directory / "emissions.duckdb")],
            cwd=catalog.ROOT,
            env=os.environ | {"PYTHONIOENCODING": "ascii", "FORCE_COLOR": "1", "NO_COLOR": "1"},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.isascii()
        assert b"\x1b[3" not in done.stdout  # no color; bold is none
    assert (
        b"x/: 1.02"
        in subprocess.run(
            [*OTE, "why", "gpt-3", "--database", str(build.directory / "emissions.duckdb")],
            cwd=catalog.ROOT,
            env=os.environ | {"PYTHONIOENCODING": "ascii"},
            capture_output=True,
            check=False,
        ).stdout
    )


def test_the_version_names_code_and_dataset(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTE_DATABASE", str(build.directory / "emissions.duckdb"))
    done = ote("--version")
    ((version,),) = build.query("select version from release")
    assert done.returncode == 0
    assert f"dataset  {version}" in done.stdout
    assert "code     " in done.stdout
    monkeypatch.setenv("OTE_DATABASE", "/nowhere/emissions.duckdb")
    without = ote("--version")
    assert (without.returncode, "dataset  none: " in without.stdout) == (0, True)


def test_every_list_says_how_solid_each_run_is(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    database = ("--database", build.directory / "emissions.duckdb")
    solid = dict(build.query("select run_id, solidity from emissions"))
    listed = json.loads(ote("find", "llama", "--json", *database).stdout)
    assert {run["run_id"]: run["solidity"] for run in listed} == {
        run["run_id"]: solid[run["run_id"]] for run in listed
    }
    for done in (ote("find", "--limit", "3", *database).stdout, ote("why", "qwen", *database).stderr):
        assert re.search(r"\b(measured|disclosed|inferred|guessed): ", done)
    short = ote("why", "gshard-600b", *database).stdout
    assert f"How solid: {solid['gshard-600b']}. " in short
    factors = dict(build.query("select factor, solidity from emission_factors where run_id = 'gshard-600b'"))
    tree = json.loads(ote("why", "gshard-600b", "--json", *database).stdout)
    assert {name: factor["solidity"] for name, factor in tree["factors"].items()} == factors


def test_who_publishes_most_is_counted(build: Build) -> None:
    """The published facts of each organisation, counted by hand from the published tables."""
    database = ("--database", build.directory / "emissions.duckdb")
    listed = json.loads(ote("find", "--by", "organisation", "--json", *database).stdout)
    rows = {row["organisation"]: row for row in listed}
    mapped = dict(build.query("select developer_name, organisation from organisations"))
    runs = build.query(
        "select t.run_id, t.developer, if(e.hours_stated_by = 'third_party', null, e.pue_basis) "
        "from training_runs t left join emissions e using (run_id) "
        "where t.developer is not null and coalesce(t.covers, 'one_run') <> 'hypothetical'"
    )
    of = [
        (run_id, pue, {mapped.get(name.strip(), name.strip()) for name in developer.split(";")})
        for run_id, developer, pue in runs
    ]
    for name in ("Google", "OpenAI", listed[0]["organisation"], listed[-1]["organisation"]):
        assert name in rows
        assert rows[name]["runs"] == sum(name in names for _, _, names in of)
        assert rows[name]["pue"] == sum(name in names and pue == "disclosed" for _, pue, names in of)
    facts = [row["facts"] for row in listed]
    assert facts == sorted(facts, reverse=True)
    assert facts == [sum(row[name] for name in ("hours", "power", "location", "pue")) for row in listed]
    refused = ote("find", "llama", "--by", "organisation", *database)
    assert (refused.returncode, "--by organisation counts all runs" in refused.stderr) == (2, True)
