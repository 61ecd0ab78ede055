"""`import ote`: each function answers as the command does, and its errors have the text of the command."""

import doctest
import inspect
import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest

import ote
from ote import api
from ote.answers import estimate as estimating
from ote.errors import with_arguments
from tests.conftest import Build
from tests.conftest import ote as command

FUNCTIONS = ("connect", "estimate", "find", "get", "load", "where", "why")


@pytest.fixture(autouse=True)
def database(build: Build, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The database of the session, where functions and commands look for it."""
    path = build.directory / "emissions.duckdb"
    monkeypatch.setenv("OTE_DATABASE", str(path))
    return path


def told(*arguments: str) -> Any:
    return json.loads(command(*arguments, "--json").stdout)


def as_json(answer: Any) -> Any:
    return json.loads(json.dumps(answer, default=str))


@pytest.mark.parametrize(
    ("answer", "arguments"),
    [
        (lambda: ote.why("GPT-3"), ("why", "GPT-3")),
        (lambda: ote.why("bloom"), ("why", "bloom")),
        (lambda: ote.find("llama", "70b"), ("find", "llama", "70b")),
        (
            lambda: ote.find(developer="google", year="2021-2023", hours="disclosed", min_energy="100MWh"),
            (
                *[
                    "find",
                    "--developer",
                    "google",
                    "--year",
                    "2021-2023",
                    "--hours",
                    "disclosed",
                    "--min-energy",
                    "100MWh",
                ],
            ),
        ),
        (
            lambda: ote.find(country="fr", within=2, sort="co2e"),
            ("find", "--country", "fr", "--within", "2", "--sort", "co2e"),
        ),
        (lambda: ote.where("gshard-600b"), ("where", "gshard-600b")),
        (
            lambda: ote.where(hardware="H100", chips=512, hours=300, region="us-east1", year=2023),
            (
                *[
                    "where",
                    "--hardware",
                    "H100",
                    "--chips",
                    "512",
                    "--hours",
                    "300",
                    "--region",
                    "us-east1",
                    "--year",
                    "2023",
                ],
            ),
        ),
    ],
)
def test_an_answer_is_that_of_the_command(answer: Callable[[], Any], arguments: tuple[str, ...]) -> None:
    assert as_json(answer()) == told(*arguments)


def test_an_estimate_is_that_of_the_command() -> None:
    run: dict[str, Any] = {
        "hardware": "H100",
        "chips": 512,
        "training_hours": 300,
        "site_country": "DE",
        "started": "2024",
    }
    options = ("--hardware", "H100", "--chips", "512", "--hours", "300", "--country", "DE", "--start", "2024")
    shown = told("estimate", *options)
    del shown["narrow_most"]
    assert as_json(ote.estimate(**run)) == as_json(ote.estimate(run)) == shown
    frames: tuple[Any, ...] = (pl.DataFrame([run]), pd.DataFrame([run]))
    for frame in frames:
        estimates = ote.estimate(frame)
        assert type(estimates) is type(frame)
        assert estimates["energy_mwh"][0] == shown["energy_mwh"]


@pytest.mark.parametrize(
    ("asked", "arguments"),
    [
        (lambda: ote.why("gtp3"), ("why", "gtp3")),
        (lambda: ote.why(""), ("why", "")),
        (lambda: ote.find(country="Atlantis"), ("find", "--country", "Atlantis")),
        (lambda: ote.find(domain="languag"), ("find", "--domain", "languag")),
        (lambda: ote.find(year="2023-2020"), ("find", "--year", "2023-2020")),
        (lambda: ote.find(hours="discl"), ("find", "--hours", "discl")),
        (lambda: ote.find(min_energy="many"), ("find", "--min-energy", "many")),
        (lambda: ote.find(developer="gogle"), ("find", "--developer", "gogle")),
        (lambda: ote.where(), ("where",)),
        (lambda: ote.where("gpt-3", hardware="H100"), ("where", "gpt-3", "--hardware", "H100")),
        (lambda: ote.where(hardware="H100"), ("where", "--hardware", "H100")),
        (lambda: ote.where("gpt-3", region="mars1"), ("where", "gpt-3", "--region", "mars1")),
        (lambda: ote.where("gpt-3", year=1900), ("where", "gpt-3", "--year", "1900")),
        (
            lambda: ote.why("gpt-3", database="none.duckdb"),
            ("why", "gpt-3", "--database", "none.duckdb"),
        ),
    ],
)
def test_an_error_is_that_of_the_command(asked: Callable[[], Any], arguments: tuple[str, ...]) -> None:
    with pytest.raises(ote.Error) as error:
        asked()
    done = command(*arguments)
    assert done.returncode == 2
    assert with_arguments(done.stderr.strip()) == str(error.value)


# For each argument of a function that can be wrong: a call in which it is, and how the error writes it.
WRONG: dict[str, dict[str, tuple[Callable[[], Any], str]]] = {
    "why": {
        "run": (lambda: ote.why("gtp3"), "'gtp3' is not a run here"),
        "database": (lambda: ote.why("gpt-3", database="none.duckdb"), "name one with database."),
    },
    "where": {
        "run": (lambda: ote.where(), "the name of a run, or hardware with chips and hours"),
        "hardware": (lambda: ote.where(hardware="H10000", hours=3), "hardware='H10000' is not a"),
        "chips": (lambda: ote.where(hardware="H100", hours=3, chips=0), "chips='0': expected more than 0"),
        "hours": (lambda: ote.where(hardware="H100", hours=-3), "hours=-3: expected a number above 0"),
        "region": (lambda: ote.where("gpt-3", region="mars1"), "region='mars1'"),
        "provider": (lambda: ote.where("gpt-3", provider="Nobody"), "provider='Nobody' is not a"),
        "country": (lambda: ote.where("gpt-3", country="Atlantis"), "country='Atlantis' is not a known"),
        "start": (lambda: ote.where("gpt-3", start="soon"), "start='soon': expected a date"),
        "year": (lambda: ote.where("gpt-3", year=1990), "year=1990: expected 20"),
        "basis": (
            lambda: ote.where("gpt-3", basis=any_of("marginal")),
            "basis='marginal': expected direct or",
        ),
        "database": (lambda: ote.where("gpt-3", database="none.duckdb"), "name one with database."),
    },
    "find": {
        "developer": (lambda: ote.find(developer="gogle"), "developer='gogle': no run"),
        "country": (lambda: ote.find(country="Atlantis"), "country='Atlantis' is not a known"),
        "year": (lambda: ote.find(year="2023-2020"), "year='2023-2020': the last year is before"),
        "hardware": (lambda: ote.find(hardware="H 9000"), "hardware='H 9000': no run"),
        "domain": (lambda: ote.find(domain="languag"), "domain='languag': expected one of"),
        "covers": (lambda: ote.find(covers="all"), "covers='all': expected one of"),
        "hours": (lambda: ote.find(hours="discl"), "hours='discl': expected one of"),
        "within": (lambda: ote.find(within=0.5), "within=0.5: expected a factor of 1 or more"),
        "min_energy": (lambda: ote.find(min_energy="many"), "min_energy='many': expected an energy"),
        "sort": (lambda: ote.find(sort=any_of("size")), "sort='size': expected energy, co2e"),
        "database": (lambda: ote.find(database="none.duckdb"), "name one with database."),
    },
    "total": {
        "runs": (lambda: ote.total({"id": []}), "has no column run_id"),
        "judgement": (
            lambda: ote.total({"run_id": ["gpt-3-175b"]}, judgement=2),
            "judgement=2: expected a share",
        ),
        "database": (lambda: ote.total({"run_id": ["x"]}, database="none.duckdb"), "name one with database."),
    },
    "load": {
        "table": (lambda: ote.load("emission"), "table='emission' is not a table"),
        "kind": (lambda: ote.load(kind=any_of("arrow")), "kind='arrow': expected polars"),
        "database": (lambda: ote.load(database="none.duckdb"), "name one with database."),
    },
    "connect": {"database": (lambda: ote.connect("none.duckdb"), "name one with database.")},
    "get": {
        "version": (lambda: ote.get("9.9", source="nowhere"), "nowhere"),
        "source": (lambda: ote.get(), "Give source, the address"),
    },
}
NEVER_WRONG = {"find": {"words"}, "get": {"into"}}  # no words match no run; a folder is made


def any_of(value: Any) -> Any:
    """A value that type checkers would refuse."""
    return value


def test_every_argument_that_can_be_wrong_has_a_call() -> None:
    for name, calls in WRONG.items():
        arguments = inspect.signature(getattr(ote, name)).parameters
        assert set(calls) | NEVER_WRONG.get(name, set()) == set(arguments), name


@pytest.mark.parametrize(("call", "says"), [wrong for calls in WRONG.values() for wrong in calls.values()])
def test_an_error_names_the_argument_as_the_caller_writes_it(call: Callable[[], Any], says: str) -> None:
    with pytest.raises(ote.Error) as error:
        call()
    assert says in str(error.value)
    assert "--" not in str(error.value)


# A call of each function that has all that it needs, and values that are wrong for most arguments.
CALLS: dict[str, dict[str, Any]] = {
    "estimate": {"runs": {"chip_hours": 1}},
    "why": {"run": "gpt-3"},
    "where": {"run": "no-such-run"},
    "find": {"words": "bloom"},
    "total": {"runs": {"run_id": ["gpt-3-175b"]}},
    "load": {"table": "release"},
    "connect": {},
    "get": {"source": "nowhere"},
}
ODD: tuple[Any, ...] = (
    *(None, True, 0, 5, 10**30, 0.5, float("nan"), float("inf"), "", "x", "\0", b"\xff", date(2024, 1, 1)),
    *([], [5], ["x", None], [{"chips": 1}], (), {"x"}, {}, {5: 1}, {"chips": []}, {"run_id": 5}, object()),
    *(
        pl.DataFrame(),
        pd.DataFrame(),
        pl.DataFrame({"a": [1]}),
        pd.DataFrame([[1]]),
        pl.LazyFrame({"a": [1]}),
    ),
    *(
        pl.Series([1]),
        pl.DataFrame({"chip_hours": [[1]]}),
        pl.DataFrame({"run_id": [None]}),
        Path("none"),
        int,
    ),
    duckdb.sql("select 1 as a"),
)


@pytest.mark.parametrize("name", sorted(CALLS))
def test_whatever_is_given_an_error_is_one_of_the_package(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every value for every argument: an answer, or an ote.Error; nothing else is ever raised."""
    monkeypatch.chdir(tmp_path)
    function = getattr(ote, name)
    parameters = inspect.signature(function).parameters
    refused = 0
    for wrong, value in itertools.product([*parameters, "unknown_argument"], ODD):
        given = {**CALLS[name], wrong: value}
        by_place = [
            given.pop(each) for each, it in parameters.items() if it.kind < it.KEYWORD_ONLY and each in given
        ]
        try:
            function(*by_place, **given)
        except ote.Error:
            refused += 1
    assert refused > len(ODD)


IMPOSSIBLE = {"chips": 0, "training_hours": -1, "pue": 0.5, "cfe_fraction": 80, "started": "soon"}


@pytest.mark.parametrize("column", sorted(set(estimating.COLUMNS) - {"model", "metering"}))
def test_an_error_of_an_estimate_names_the_argument(column: str) -> None:
    run: dict[str, Any] = {"hardware": "H100", "chip_hours": 10, column: IMPOSSIBLE.get(column, "-?")}
    with pytest.raises(ote.Error) as error:
        ote.estimate(**run)
    assert f"{column}: " in str(error.value)
    assert "--" not in str(error.value)


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (
            {"chips": 8},
            "training_hours: missing: give energy_kwh, or chip_hours, or chips with training_hours",
        ),
        ({"energy_kwh": -1}, "energy_kwh: '-1': expected more than 0"),
        ({"energy_kwh": 1, "pue": 0.5}, "pue: 0.5: expected 1 or more"),
        ({"energy_kwh": 1, "watts_per_chip": 700}, "watts_per_chip: given together with energy_kwh"),
    ],
)
def test_what_is_wrong_with_a_run_is_said_with_its_arguments(run: dict[str, Any], says: str) -> None:
    with pytest.raises(ote.BadRunsError) as error:
        ote.estimate(run)
    assert str(error.value).startswith(says)
    assert "--" not in str(error.value)


def test_an_address_without_releases_is_refused_as_by_the_command() -> None:
    """Exit code 1: the option is well-formed, and what it leads to is not there."""
    with pytest.raises(ote.Error) as error:
        ote.get(source="nowhere")
    done = command("release", "get", "--from", "nowhere")
    assert (done.returncode, done.stderr.strip()) == (1, str(error.value))


def test_a_table_comes_as_the_library_that_is_asked_for(build: Build) -> None:
    ((rows, total),) = build.query("select count(*), sum(energy_mwh) from emissions")
    assert isinstance(ote.load(), pl.DataFrame)
    for kind in ("polars", "pandas"):
        frame = ote.load("emissions", kind=kind)
        assert type(frame).__module__.startswith(kind)
        assert len(frame) == rows
        assert frame["energy_mwh"].sum() == pytest.approx(total)
    relation = ote.load("emissions", kind="duckdb")
    assert relation.aggregate("count(*)").fetchall() == [(rows,)]
    assert len(ote.load("what_if", kind="duckdb").columns) > 3  # a view
    with pytest.raises(ote.UnknownTableError, match="did you mean emissions"):
        ote.load("emision")
    with pytest.raises(ote.UnknownTableError, match="in each release, as parquet/emission_draws"):
        ote.load("emission_draws")
    with pytest.raises(ote.BadQuestionError, match="expected polars, pandas or duckdb"):
        ote.load("emissions", kind="numpy")  # type: ignore[arg-type]


def test_a_sum_is_the_same_from_every_kind_of_rows() -> None:
    query = "select * from emissions where run_id in ('gpt-3-175b', 'bloom-176b')"
    with ote.connect() as data:
        rows = data.sql(query)
        frame = rows.pl()
        kinds = (
            rows,
            frame,
            frame.lazy(),
            rows.df(),
            frame.to_arrow(),
            {"run_id": frame["run_id"].to_list()},
        )
        assert {ote.total(kind).sums["energy_mwh"].p50 for kind in kinds} == {
            ote.total(frame).sums["energy_mwh"].p50
        }
        for kind in (rows.select("model"), frame.lazy().select("model")):
            with pytest.raises(ote.BadSelectionError, match="has no column run_id"):
                ote.total(kind)
    assert ote.total({"run_id": "gpt-3-175b"}).runs == 1


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: ote.find(hours=any_of(["disclosed", 5])),
            "hours=['disclosed', 5]: expected a valid string.",
        ),
        (lambda: ote.why(any_of(None)), "run=None: expected a valid string."),
        (lambda: ote.estimate(chip_hours=1, today=any_of(0)), "today=0: expected a valid date."),
        (lambda: ote.connect(any_of(5)), "database=5: expected a valid string or a valid path."),
        (
            lambda: ote.estimate(any_of([{}])),
            "runs=[{}]: expected a valid dictionary or a data frame (pandas or Polars) with named columns.",
        ),
        (lambda: ote.where(hardware="H100", hours=any_of("x")), "hours='x': expected a valid number."),
        (lambda: ote.where(hardware="H100"), "hours is missing; with hardware, give the hours"),
    ],
)
def test_an_error_of_a_type_says_what_was_given_and_expected(call: Callable[[], Any], says: str) -> None:
    with pytest.raises(ote.BadQuestionError) as error:
        call()
    assert str(error.value).startswith(says)


def test_a_connection_reads_and_does_not_write() -> None:
    with ote.connect() as data:
        assert data.execute("select count(*) > 1000 from emissions").fetchall() == [(True,)]
        with pytest.raises(Exception, match="read-only"):
            data.execute("create table t (a int)")


def test_a_release_is_downloaded(build: Build, tmp_path: Path) -> None:
    from ote.releases import publishing

    publishing.publish(build.release, str(tmp_path / "public"))
    got = ote.get(source=str(tmp_path / "public"), into=tmp_path / "releases")
    assert (got / "SHA256SUMS").read_bytes() == (build.release / "SHA256SUMS").read_bytes()


def test_each_function_says_what_it_takes_returns_and_raises() -> None:
    for name in FUNCTIONS:
        function = getattr(ote, name)
        text = inspect.getdoc(function) or ""
        for parameter in inspect.signature(function).parameters:
            assert f"{parameter}:" in text, (name, parameter)
        for error in re_raised(text):
            assert issubclass(getattr(ote, error), ote.Error)
    assert set(FUNCTIONS) <= set(ote.__all__) <= set(dir(ote))


def re_raised(text: str) -> list[str]:
    """The errors that a docstring names."""
    part = text.partition("Raises:\n")[2].partition("\n\n")[0]
    lines = [line.removeprefix("    ") for line in part.splitlines()]
    return [line.partition(":")[0] for line in lines if not line.startswith(" ")]


def test_examples_in_docstrings_run() -> None:
    done = doctest.testmod(api)
    assert (done.failed, done.attempted > 8) == (0, True)


def test_the_import_loads_nothing() -> None:
    """Below 0.3 s, since none of the libraries is imported before a function is used."""
    program = (
        "import sys; import ote; "
        "print(*sorted({'duckdb', 'pydantic', 'typer', 'rich', 'yaml', 'polars', 'pandas'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
    with pytest.raises(AttributeError, match="has no attribute 'estimat'"):
        _ = ote.estimat
