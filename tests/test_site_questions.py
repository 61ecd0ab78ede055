"""The pages Query and Your run in a browser: they answer as DuckDB and `ote estimate` do in Python."""

import json
import math
import random
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from ote.answers import disclosure
from ote.answers import estimate as estimating
from ote.site import engine
from ote.site.questions import EXAMPLES
from tests.browser import Page
from tests.conftest import Build
from tests.test_site_browser import AXE, CHECK, address, needs_chromium, page

__all__ = ("address", "page")  # fixtures
pytestmark = [
    needs_chromium,
    pytest.mark.skipif(
        not engine.contents(), reason=f"the query engine is not in place: {engine.HOW} (as .ci/run does)"
    ),
]
QUERIES = Path(__file__).parent / "cases" / "browser_queries.sql"
ENGINE = "import('/site/static/engine.js')"
IS_OVER = (
    "/ in [0-9.]+ s|Error|only|Only|alone|extension/.test(document.getElementById('status').textContent)"
)
ENDLESS = "select count(*) from range(1000000) a, range(1000000) b where a.range * b.range % 7 = 3"
STATUS = "document.getElementById('status').textContent"


def queries() -> list[str]:
    lines = QUERIES.read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("--"))
    return [query.strip() for query in text.split(";\n") if query.strip()]


def is_same(one: str | None, other: str | None) -> bool:
    """Whether two cells as text are the same, or the same numbers to 12 digits: sums have no order."""
    if one == other or one is None or other is None:
        return one == other
    if one.startswith("[") and one.count(", ") == other.count(", "):
        return all(map(is_same, one.strip("[]").split(", "), other.strip("[]").split(", ")))
    try:
        return math.isclose(float(one), float(other), rel_tol=1e-12)
    except ValueError:
        return False


def answered(page: Page, asked: list[str]) -> list[dict[str, Any]]:
    """What the engine of the page answers to queries, one after the other."""
    found: list[dict[str, Any]] = page.value(
        f"(async () => {{ const {{ Engine }} = await {ENGINE}, answers = [];"
        " const one = await Engine.start(document.getElementById('question').dataset.database);"
        " await one.run('use dataset'); await one.close();"
        f" for (const sql of {json.dumps(asked)}) answers.push(await one.rows(sql));"
        " one.stop(); return answers; })()"
    )
    return found


def ask(page: Page, sql: str) -> str:
    """Type a query and press Ctrl+Enter, and what the page then says."""
    page.value(f"document.getElementById('question').elements.sql.value = {json.dumps(sql)}")
    page.value("document.getElementById('question').requestSubmit()")
    page.until(f"document.getElementById('question').elements.stop.hidden && {IS_OVER}")
    return str(page.value(STATUS))


def test_sixty_queries_give_what_duckdb_gives(page: Page, address: str, build: Build) -> None:
    asked = [*queries(), *(sql for _, _, sql in EXAMPLES)]
    assert len(queries()) == 60
    page.open(f"{address}query.html")
    found = answered(page, asked)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{build.directory / 'emissions.duckdb'}' as dataset (read_only)")
        connection.execute("use dataset")
        for sql, answer in zip(asked, found, strict=True):
            text = sql.removesuffix(";")
            rows = connection.execute(f"select cast(columns(*) as varchar) from (\n{text}\n)").fetchall()
            assert len(answer["rows"]) == len(rows) > 0, sql
            for here, there in zip(answer["rows"], rows, strict=True):
                assert all(map(is_same, here, there)), (sql, here, there)


def test_nothing_is_loaded_before_a_question_and_nothing_from_elsewhere(page: Page, address: str) -> None:
    page.open(f"{address}query.html")
    heavy = ("/engine/", "engine-worker", ".duckdb")
    assert not any(name in asked for asked in page.asked for name in heavy)
    assert ask(page, "select 1 as one, null as nothing").startswith("1 row in ")
    cells = "[...document.querySelectorAll('#answer th, #answer td')].map((cell) => cell.textContent)"
    assert page.value(cells) == ["one", "nothing", "1", "null"]
    assert all(asked.startswith(address.removesuffix("site/")) for asked in page.asked)
    assert page.errors == []
    for sql, says in (
        ("from 'https://example.org/x.csv'", "no files and no addresses"),
        ("from read_parquet('https://example.org/x')", "read_parquet is part of the extension parquet"),
        ("select modle from emissions", 'Referenced column "modle" not found'),
        ("selec 1", 'syntax error at or near "selec"\nLINE 1: selec 1'),
        ("create table x as select 1", "Only a query that returns rows"),
        ("set enable_external_access = true", "Only a query that returns rows"),
    ):
        assert says in ask(page, sql), sql


def test_a_query_has_an_address_and_its_result_is_csv(page: Page, address: str) -> None:
    page.open(f"{address}query.html")
    ask(page, "select '=1+1' as \"a,b\", -5 as n, 'say \"x\"' as t")
    there = page.value("location.href")
    page.value("URL.createObjectURL = (blob) => { window.made = blob.text(); return '#'; }, 1")
    page.value("document.getElementById('question').elements.file.click()")
    page.until("window.made")
    assert page.value("window.made") == '"a,b","n","t"\r\n"\'=1+1","-5","say ""x"""\r\n'
    page.open(there)
    assert page.value("document.getElementById('question').elements.sql.value").startswith("select '=1+1'")


def test_a_result_shows_six_digits_and_its_csv_has_all(page: Page, address: str) -> None:
    page.open(f"{address}query.html")
    ask(page, "select 2.0 / 3 as third, 1234567.125::double as large, 7 as seven, '0.123456789' as text")
    cells = "[...document.querySelectorAll('#answer td')].map((cell) => cell.textContent)"
    assert page.value(cells) == ["0.666667", "1234567", "7", "0.123456789"]
    page.value("URL.createObjectURL = (blob) => { window.made = blob.text(); return '#'; }, 1")
    page.value("document.getElementById('question').elements.file.click()")
    page.until("window.made")
    assert '"0.6666666666666666","1234567.125"' in page.value("window.made")


def test_the_first_example_lists_whole_runs_alone() -> None:
    title, _, sql = EXAMPLES[0]
    assert title == "Largest runs"
    assert "covers = 'one_run'" in sql


def test_a_long_query_is_stopped_and_the_next_one_runs(page: Page, address: str) -> None:
    page.open(f"{address}query.html")
    ask(page, "select 1")
    page.value(f"document.getElementById('question').elements.sql.value = {json.dumps(ENDLESS)}")
    page.value("document.getElementById('question').requestSubmit()")
    page.until("!document.getElementById('question').elements.stop.hidden")
    page.value("document.getElementById('question').elements.stop.click()")
    assert page.value(STATUS).startswith("Stopped.")
    assert ask(page, "select 2").startswith("1 row in ")


def test_a_result_fits_a_phone_and_has_no_barrier(page: Page, address: str) -> None:
    page.open(f"{address}query.html", 375)
    ask(page, "select * from emissions limit 5")
    assert page.value("document.documentElement.scrollWidth") <= 375
    page.value(AXE)
    assert page.value(CHECK) == []


HARDWARE = (
    *("H100", "A100", "NVIDIA A100-SXM4-40GB", "v100", "TPU v3", "tpu v4", "MI250X", "GB200", "RTX 4090"),
    *("a100 80gb pcie", "T4", "Gaudi 2", "MI250X GCD", "TPU v3 core", "v3-32", "tpu-v4-64", "v5litepod-16"),
    "volta",
)
PLACES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cloud_region", ("us-central1", "europe-west4", "us-east-1", "eu-north-1", "westeurope", "asia-east1")),
    ("site_country", ("FR", "Germany", "US", "IN", "Netherlands (the)", "Poland", "SE", "KR")),
    ("site_state", ("Texas", "CA-QC", "California", "US-VA", "Washington")),
    ("carbon_intensity_g_per_kwh", ("12.5", "380", "41", "987.6", "0")),
    ("provider", ("AWS", "Google", "Microsoft Azure", "Meta", "CoreWeave")),
)
OTHERS: tuple[tuple[str, float, tuple[str, ...]], ...] = (
    ("pue", 0.3, ("1.1", "1.125", "1.58", "1.0", "1.0625")),
    ("started", 0.6, ("2019", "2021-07", "2023-03-15", "2024-02", "2022-11-30", "2025-06-01T12:00:00Z")),
    ("model", 0.3, ("My-7B", "Ünï \"x\" 'y'", "a; b")),
    ("market_g_per_kwh", 0.15, ("0", "20", "412.5")),
    ("cfe_fraction", 0.15, ("0.9", "0.64", "1", "0.25")),
)
RUNS = 200


def random_run(chance: random.Random) -> dict[str, str]:
    """What a person may type, by each way to state a run."""
    run: dict[str, str] = {}
    way = chance.choice(("chips", "chips", "chip_hours", "training_flop", "energy_kwh"))
    if way == "chips":
        hours = round(10 ** chance.uniform(0, 3.3), chance.randint(0, 3))
        run |= {"chips": str(chance.choice((1, 3, 8, 64, 512, 4096))), "training_hours": str(hours)}
    elif way == "energy_kwh" and chance.random() < 0.4:
        run["metering"] = chance.choice(("NVML, GPUs alone", "partly metered: 3 of 4 nodes", "wall meter."))
    exponents = {"chip_hours": (0, 7), "training_flop": (15, 25), "energy_kwh": (-1, 7)}
    if way in exponents:
        run[way] = f"{10 ** chance.uniform(*exponents[way]):.5g}"
    if way in ("chips", "chip_hours") or (way == "training_flop" and chance.random() < 0.5):
        run["hardware"] = chance.choice(HARDWARE)
    if way == "chips" and chance.random() < 0.1:
        run["watts_per_chip"] = "312.5"
    if chance.random() < 0.85:
        column, values = chance.choice(PLACES)
        run[column] = chance.choice(values)
    return run | {name: chance.choice(values) for name, share, values in OTHERS if chance.random() < share}


def estimated(page: Page, runs: list[dict[str, str]], today: date) -> Any:
    """What the modules of the page Your run find: estimates with their texts, or what is wrong with runs."""
    return page.value(
        f"(async () => {{ const {{ Engine }} = await {ENGINE};"
        " const { estimate, prepare, BadRunsError } = await import('/site/static/estimate.js');"
        " const { paragraph } = await import('/site/static/disclosure.js');"
        " const form = document.getElementById('run');"
        " const method = await (await fetch(form.dataset.method)).json();"
        " window.engine ??= await Engine.start(form.dataset.database)"
        f".then(async (one) => {{ await prepare(one, method, '{today}'); return one; }});"
        f" try {{ const found = await estimate(window.engine, method, {json.dumps(runs)});"
        " return found.map((run) => ({ ...run, text: paragraph(run, method.words) })); }"
        " catch (error) { if (!(error instanceof BadRunsError)) throw error; return error.problems; } })()"
    )


def is_equal(one: Any, other: Any) -> bool:
    """Whether two cells are the same, numbers to 12 digits: libraries differ in the last ones."""
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-12)
    return bool(one == other)


def test_two_hundred_runs_are_as_ote_estimate_finds_them(page: Page, address: str, build: Build) -> None:
    database, today, chance = (
        build.directory / "emissions.duckdb",
        datetime.now(UTC).date(),
        random.Random(30),
    )
    asked = [random_run(chance) for _ in range(2 * RUNS)]
    _, rejects = estimating.estimate_rows(asked, database, today)
    refused = {reject.place.row for reject in rejects}
    good = [run for row, run in enumerate(asked, 1) if row not in refused][:RUNS]
    assert len(good) == RUNS
    assert len(refused) > 5
    page.open(f"{address}your-run.html")
    problems = estimated(page, asked, today)
    assert {(row, column, says) for row, column, says in map(dict.values, problems)} == {
        (reject.place.row, reject.column, reject.reason) for reject in rejects
    }
    found = estimated(page, good, today)
    columns = dict.fromkeys(estimating.COLUMNS, pl.String)
    frame = pl.DataFrame([{name: run.get(name) for name in columns} for run in good], schema=columns)
    flat = estimating.estimate(frame, database, today)
    assert isinstance(flat, pl.DataFrame)
    nested, _ = estimating.estimate_rows(good, database, today)
    for run, here, there, whole in zip(good, found, flat.rows(named=True), nested, strict=True):
        differing = {
            name: (here[name], cell) for name, cell in there.items() if not is_equal(here[name], cell)
        }
        assert not differing, run
        assert here["text"] == disclosure.markdown(whole).partition("\n\n")[0], run


UNKNOWN = (
    *("mars-1", "us-centrl1", "europe west", "xx", "frankfurt", "Germany", "FR", "it's here", "-", "iowa us"),
    *("US-EAST", "northeurope2", "São Paulo", "us_west_2", "a" * 60, "Åland Islands", "ap-southeast-9"),
)


def test_an_unknown_region_or_provider_gets_the_names_of_the_command_line(
    page: Page, address: str, build: Build
) -> None:
    asked = [{"energy_kwh": "5", column: name} for name in UNKNOWN for column in ("cloud_region", "provider")]
    today = datetime.now(UTC).date()
    _, rejects = estimating.estimate_rows(asked, build.directory / "emissions.duckdb", today)
    assert len(rejects) == len(asked)
    page.open(f"{address}your-run.html")
    says = {(row, column, says) for row, column, says in map(dict.values, estimated(page, asked, today))}
    assert says == {(reject.place.row, reject.column, reject.reason) for reject in rejects}


def fill(page: Page, **fields: str) -> str:
    """Fill the form, press Estimate, and what the page then says."""
    page.value("document.getElementById('run').reset()")
    for name, cell in fields.items():
        page.value(f"document.getElementById('run').elements['{name}'].value = {json.dumps(cell)}")
    page.value("document.getElementById('run').requestSubmit()")
    page.until(f"{STATUS} && !{STATUS}.includes('…')")
    return str(page.value(STATUS))


def test_the_form_shows_an_estimate_and_the_text_to_copy(page: Page, address: str, build: Build) -> None:
    page.open(f"{address}your-run.html", 375)
    run = {"hardware": "H100", "chips": "512", "training_hours": "300", "cloud_region": "us-central1"}
    says = fill(page, **run)
    there = estimating.estimate_run(run, build.directory / "emissions.duckdb")
    text = disclosure.markdown(there).partition("\n\n")[0]
    assert page.value("document.getElementById('text').value") == text
    assert says.split(":")[1].split("(")[0].strip() in text
    assert page.value("document.documentElement.scrollWidth") <= 375
    cells = "[...document.querySelectorAll('#answer td')].map((cell) => cell.getBoundingClientRect())"
    assert page.value(f"{cells}.every((box) => box.left >= 0 && box.right <= 375)"), (
        "intervals and sources too"
    )
    assert all(asked.startswith(address.removesuffix("site/")) for asked in page.asked)
    assert page.errors == []
    page.value(AXE)
    assert page.value(CHECK) == []
    address_of_it = page.value("location.href")
    page.open(address_of_it)
    assert page.value("document.getElementById('run').elements.chips.value") == "512"


@pytest.mark.parametrize("wait", [0, 30, 100, 300])
def test_a_second_press_of_estimate_answers_the_second_question(page: Page, address: str, wait: int) -> None:
    page.open(f"{address}your-run.html")
    fill(page, hardware="A100", chips="8", training_hours="10")
    press = "document.getElementById('run').requestSubmit()"
    page.value(
        f"(async () => {{ {press}; await new Promise((go) => setTimeout(go, {wait}));"
        f" document.getElementById('f-hardware').value = 'ZZZ9000'; {press}; }})()"
    )
    page.until(f"!/Loading|Estimating/.test({STATUS})")
    assert "could not be used" not in page.value(STATUS)
    assert "'ZZZ9000'" in page.value(STATUS)


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({"chips": "8"}, "training_hours", "Hours: missing: give “Measured energy”, or “Accelerator-hours”"),
        (
            {"hardware": "H100", "chips": "8", "training_hours": "3,5"},
            "training_hours",
            "Hours: '3,5': a comma",
        ),
        (
            {"hardware": "H1000", "chips": "8", "training_hours": "3"},
            "hardware",
            "Accelerator: 'H1000' is no",
        ),
        ({"energy_kwh": "5", "pue": "112"}, "pue", "PUE: 112.0: it looks like percent; write 1.12"),
        (
            {"energy_kwh": "5", "cloud_region": "mars-1"},
            "cloud_region",
            "Cloud region: 'mars-1' is not a known region. The nearest: eu-paris-1, ",
        ),
        ({}, "chip_hours", "Accelerator-hours: missing"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    page: Page, address: str, given: dict[str, str], field: str, says: str
) -> None:
    if "your-run" not in str(page.value("location.href")):
        page.open(f"{address}your-run.html")
    assert says in fill(page, **given)
    assert page.value("document.activeElement.name") == field
    line = page.value(f"document.getElementById('e-{field}').textContent")
    assert line.startswith(says.partition(": ")[2])
    assert page.value("document.getElementById('answer').hidden")
