"""`ote mcp`: each tool answers a client of the SDK as the function in Python does, within its limits."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ote
from ote.answers import agent
from tests.conftest import Build

PROGRAM = "from ote.cli import run; run()"
IS_INSTALLED = True
try:
    from mcp import Client, StdioServerParameters, stdio_client
except ModuleNotFoundError:
    IS_INSTALLED = False
needs_the_sdk = pytest.mark.skipif(
    not IS_INSTALLED, reason="the MCP SDK is not installed: pip install 'open-training-emissions[mcp]'"
)


@pytest.fixture
def tools(build: Build) -> agent.Agent:
    return agent.Agent(build.directory / "emissions.duckdb")


def asked(database: Path, *questions: tuple[str, dict[str, Any]]) -> list[Any]:
    """What a client gets from the command: the names of the tools, then (is_error, text) of each question."""

    async def ask() -> list[Any]:
        command = StdioServerParameters(
            command=sys.executable,
            args=["-c", PROGRAM, "mcp", "--database", str(database)],
            env={name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
        )
        async with Client(stdio_client(command)) as client:
            listed = (await client.list_tools()).tools
            answers: list[Any] = [{tool.name: tool.description for tool in listed}]
            for name, given in questions:
                result = await client.call_tool(name, given)
                answers.append((result.is_error, result.content[0].text))
            return answers

    return asyncio.run(asyncio.wait_for(ask(), 120))


@needs_the_sdk
def test_a_client_gets_the_answers_of_the_functions(build: Build) -> None:
    database = build.directory / "emissions.duckdb"
    run = {"hardware": "H100", "chips": 8, "training_hours": 100, "started": "2024-03"}
    names, found, derived, estimated, ranked, meaning, rows = asked(
        database,
        ("find_runs", {"words": "bloom", "hours": "disclosed"}),
        ("why", {"run": "GPT-3"}),
        ("estimate", run),
        ("where", {"run": "GPT-3", "limit": 2}),
        ("explain", {"word": "gsd"}),
        ("sql", {"query": "select run_id, energy_mwh from emissions where run_id = 't5-11b'"}),
    )
    assert list(names) == ["find_runs", "why", "estimate", "where", "total", "explain", "sql"]
    assert all(names.values())
    assert not any(is_error for is_error, _ in (found, derived, estimated, ranked, meaning, rows))
    assert [run["run_id"] for run in json.loads(found[1])["runs"]] == ["bloom-176b"]
    why = ote.why("GPT-3", database=database)
    assert json.loads(derived[1])["energy_mwh_p95"] == pytest.approx(why["energy_mwh_p95"])
    assert json.loads(estimated[1])["energy_mwh"] == pytest.approx(
        ote.estimate(run, database=database)["energy_mwh"]
    )
    assert json.loads(ranked[1])["regions"][0]["region"] == ote.where("GPT-3", database=database)[0]["region"]
    assert "standard deviation" in json.loads(meaning[1])["means"][0]
    assert json.loads(rows[1])["rows"] == [["t5-11b", pytest.approx(85.3, abs=0.1)]]
    assert {json.loads(text)["dataset_version"] for _, text in (found, derived, ranked, rows)} == {
        json.loads(estimated[1])["dataset_version"]
    }


@needs_the_sdk
def test_a_client_gets_errors_as_text(build: Build) -> None:
    _, unknown, wrong = asked(
        build.directory / "emissions.duckdb",
        ("why", {"run": "a model that nobody trained"}),
        ("sql", {"query": "drop table emissions"}),
    )
    assert unknown[0]
    assert "is not a run here" in unknown[1]
    assert wrong[0]
    assert "Expected one select statement" in wrong[1]


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda tools: tools.sql("drop table emissions"), "one select statement"),
        (lambda tools: tools.sql("select 1; select 2"), "one select statement"),
        (lambda tools: tools.sql("select * from read_csv('/etc/hostname')"), "disabled"),
        (lambda tools: tools.sql("attach 'x.duckdb' as x"), "one select statement"),
        (lambda tools: tools.sql("set enable_external_access = true"), "one select statement"),
        (lambda tools: tools.sql("select nothing from emissions"), "nothing"),
        (lambda tools: tools.sql("select 1", limit=0), "1 to 1000"),
        (lambda tools: tools.find_runs("llama", limit=1001), "1 to 1000"),
        (lambda tools: tools.sql("select repeat('x', 500000)"), "at most 400,000"),
        (lambda tools: tools.explain("flurb"), "not a word"),
        (lambda tools: tools.total("false"), "no whole run"),
        (lambda tools: tools.total("true); drop table emissions; select (1"), "one select statement"),
        (lambda tools: tools.total("flurb = 1"), "flurb"),
        (lambda tools: tools.estimate(chips=8), "training_hours: missing"),
    ],
)
def test_limits_and_errors(tools: agent.Agent, ask: Callable[[agent.Agent], Any], says: str) -> None:
    with pytest.raises(ote.Error, match=says):
        ask(tools)


def test_a_long_query_is_stopped(tools: agent.Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "SECONDS", 0.2)
    with pytest.raises(ote.Error, match=r"more than 0\.2 seconds"):
        tools.sql("select sum(a.range * b.range) from range(1000000) as a, range(1000000) as b")


def test_a_function_that_does_not_end_is_stopped(tools: agent.Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "SECONDS", 0.2)
    begun = time.monotonic()
    with pytest.raises(ote.Error, match=r"more than 0\.2 seconds"):
        tools.sql(" union all ".join(["select length(repeat('x', 1000000000))"] * 20))  # minutes, else
    assert time.monotonic() - begun < 20


def test_a_query_gives_no_number_for_a_guess(tools: agent.Agent) -> None:
    ends = "energy_mwh, energy_mwh_p05, energy_mwh_p95"
    query = f"select {ends}, co2e_gross_t from emissions where solidity = '{{}}' order by run_id"
    guess, measured = (tools.sql(query.format(solidity), 1) for solidity in ("guessed", "measured"))
    value, low, high, _ = guess["rows"][0]
    assert value is None
    assert high > 100 * low > 0
    assert "only the interval" in guess["null_because"]
    assert measured["rows"][0][0] > 0
    assert measured["null_because"] is None
    assert guess["note"] == measured["note"]
    assert guess["note"].startswith("Without an interval: co2e_gross_t. ")
    assert tools.sql(f"select {ends} from emissions", 1)["note"] is None


def test_what_json_has_no_number_for_is_null_and_said(tools: agent.Agent) -> None:
    odd = "select 'nan'::double as a, '-inf'::float as b, [1, 'inf'::double], {'d': 'nan'::double}, 2.5e0"
    answer = tools.sql(odd)
    assert json.loads(json.dumps(answer, allow_nan=False))["rows"] == [
        [None, None, [1, None], {"d": None}, 2.5]
    ]
    assert answer["note"] == agent.NOT_FINITE
    both = tools.sql("select energy_mwh, 'nan'::double from emissions", 1)["note"]
    assert both.startswith("Without an interval")
    assert both.endswith(agent.NOT_FINITE)


def test_a_sum_is_that_of_the_function(tools: agent.Agent, build: Build) -> None:
    found = tools.total("run_id in ('gpt-3-175b', 'bloom-176b') -- no more")
    same = ote.total({"run_id": ["gpt-3-175b", "bloom-176b"]}, database=build.directory / "emissions.duckdb")
    assert found["runs"] == 2
    assert found["sums"]["energy_mwh"]["p95"] == same.sums["energy_mwh"].p95


def test_rows_are_limited_and_said_to_be(tools: agent.Agent) -> None:
    answer = tools.sql("select run_id from emissions order by run_id", limit=3)
    assert len(answer["rows"]) == 3
    assert answer["has_more"]
    assert not tools.sql("select count(*) from emissions")["has_more"]


def test_answers_carry_interval_basis_source_and_version(tools: agent.Agent) -> None:
    (run,) = tools.find_runs("bloom", hours="disclosed")["runs"]
    assert run["energy_mwh_p05"] < run["energy_mwh"] < run["energy_mwh_p95"]
    assert run["chip_hours_basis"] == "disclosed"
    assert run["source_url"].startswith("https://")
    factors = tools.estimate(hardware="H100", chips=8, training_hours=100)["factors"]
    assert all(factor["basis"] for factor in factors.values() if factor["value"] is not None)
    (region,) = tools.where("gshard-600b", limit=1)["regions"]
    assert region["gross_basis"]
    assert region["source_url"]
    answers = (tools.why("GPT-3"), tools.explain("pue"), tools.sql("select 1"))
    assert all(answer["dataset_version"] == tools.version for answer in answers)


def test_a_missing_database_is_said(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "mcp", "--database", str(tmp_path / "none.duckdb")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "none.duckdb" in done.stderr
