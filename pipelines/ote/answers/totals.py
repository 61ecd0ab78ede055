"""Sums of runs with their intervals, from the published database: medians of runs do not add up.

Belongs here: which runs are summed, the draws of their sum, and how exact these are. Does not belong here:
the draws of a run (sql/totals/draws.sql), or printing (cli/totals.py).
"""

import math
import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from ote import isolated
from ote.answers import names, quantities
from ote.answers.published import DATABASE, open_database
from ote.catalog import ROOT
from ote.errors import BadQuestionError, Error

PROBE = "select error_id from error_loads union all select share_basis from error_shares limit 0"
TABLES = ("emissions", "emission_factors", "error_loads")
SEEDS = range(1, 5)  # independent sets of draws: their differences show the error
DRAWS = 2039  # of each set; a prime
RUNS = "from dataset.emissions"
QUANTITIES = {"energy_mwh": "MWh", "co2e_gross_t": "t", "co2e_lifecycle_t": "t"}
SUMS = (
    "select draw, "
    + ", ".join(f"sum(cast(round({name} * 1e9) as bigint)) / 1e9 as {name}" for name in QUANTITIES)
    + " from ({draws}) group by draw order by draw"
)


UNKNOWN_COLUMN = re.compile(r'Referenced column "([^"]+)"')
EXAMPLE = "year(published_date) = 2024 and solidity <> 'guessed'"


class BadSelectionError(Error):
    """What selects runs cannot be read, or selects none; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Sum:
    """One quantity of several runs.

    p05, p50, p95: of the distribution of the sum.
    mean: the sum of the means of the runs, by formula.
    sum_of_values: of the medians of the runs; too low, for comparison.
    error_fraction: standard error of the worst of p05, p50 and p95, which come from draws.
    """

    p05: float
    p50: float
    p95: float
    mean: float
    sum_of_values: float
    error_fraction: float
    unit: str


@dataclass(frozen=True, kw_only=True)
class Total:
    """A sum over runs; left out are parts and families of runs, bounds, and second rows of one training.

    solidity_share_fractions: shares of the mean energy, by how solid the energies of the runs are.
    """

    runs: int
    left_out_parts: int
    left_out_bounds: int
    left_out_shared: int
    sums: dict[str, Sum]
    largest_run_id: str
    largest_run_share_fraction: float
    solidity_share_fractions: dict[str, float]
    draws: int


def total_where(
    conditions: Sequence[str], database: Path = DATABASE, judgement: float | None = None
) -> Total:
    """The sum of the runs for which all conditions hold, in SQL over the table emissions.

    Args:
        conditions: each can read the published tables and nothing else.
        database: the published DuckDB file.
        judgement: share of the variance of judgements that all of them have in common; by default that of the
            table error_shares.

    Raises:
        BadSelectionError: a condition cannot be read or is none, or no whole run is left.
        NoDatabaseError: the database is missing or of another version.
    """
    with _opened(database, judgement) as connection:
        try:
            for condition in conditions:
                duckdb.SQLExpression(condition)  # it is one expression, and nothing else
                ((_, kind, *_),) = connection.execute(f"describe select ({condition}\n) {RUNS}").fetchall()
                if kind != "BOOLEAN":
                    raise BadSelectionError(f"{kind}, not a condition. Expected a comparison: {EXAMPLE}")
            all_of = " and ".join(f"({condition}\n)" for condition in conditions) or "true"
            connection.execute(f"create temp table selected as select * {RUNS} where {all_of}")
        except duckdb.Error as error:
            raise BadSelectionError(_refusal(error)) from None
        return _total(connection)


def unknown_organisation(name: str, database: Path = DATABASE) -> str:
    """What to say of an organisation that no run has; empty if one has it.

    Raises:
        NoDatabaseError: the database is missing or of another version.
    """
    with open_database(database, PROBE) as connection:
        rows = connection.execute(
            "select distinct organisation from emissions where organisation is not null"
        )
        known = [organisation for (organisation,) in rows.fetchall()]
    if name.lower() in map(str.lower, known):
        return ""
    near = ", ".join(names.nearest_spellings(name, known))
    return f"--organisation {name}: no run with an estimate has it. The nearest: {near}."


def total(frame: Any, database: Path = DATABASE, judgement: float | None = None) -> Total:
    """The sum of the runs of a frame with a column run_id, of Polars, pandas, Arrow or DuckDB.

    Raises:
        BadSelectionError: there is no such column, a run has no estimate, or no run is whole.
        NoDatabaseError: the database is missing or of another version.
    """
    return total_of(_run_ids(frame), database, judgement)


def _run_ids(frame: Any) -> list[str]:
    """The column run_id of a frame (also a lazy one), a relation of DuckDB, or a mapping."""
    try:
        if isinstance(frame, duckdb.DuckDBPyRelation):
            return [str(run_id) for (run_id,) in frame.select("run_id").fetchall()]
        whole = frame.collect() if hasattr(frame, "collect") else frame
        column = whole["run_id"]
        return [column] if isinstance(column, str) else [str(run_id) for run_id in column]
    except Exception as error:  # each library has errors of its own
        raise BadSelectionError(
            f"The frame has no column run_id that can be read ({error}). Give rows of the table emissions."
        ) from error


def total_of(run_ids: Iterable[str], database: Path = DATABASE, judgement: float | None = None) -> Total:
    """The sum of runs by their ids.

    Raises:
        BadSelectionError: a run has no estimate, or none is whole.
        NoDatabaseError: the database is missing or of another version.
    """
    ids = sorted(set(run_ids))
    with _opened(database, judgement) as connection:
        connection.execute(
            "create temp table selected as from dataset.emissions where list_contains(?, run_id)", [ids]
        )
        known = {run_id for (run_id,) in connection.execute("select run_id from selected").fetchall()}
        if unknown := [run_id for run_id in ids if run_id not in known]:
            raise BadSelectionError(
                f"{unknown[0]}: no such run in emissions ({len(unknown)} of {len(ids)} are unknown). "
                "Give values of its column run_id."
            )
        return _total(connection)


def _opened(database: Path, judgement: float | None) -> duckdb.DuckDBPyConnection:
    """A connection that reads the published database and nothing else, with the macros of the draws."""
    if judgement is not None and not 0 <= judgement <= 1:
        raise BadQuestionError(f"--judgement {judgement:g}: expected a share from 0 to 1, such as 0.3.")
    open_database(database, PROBE).close()
    connection = isolated.connect([database], {"dataset": database})
    connection.execute((ROOT / "sql" / "macros.sql").read_text(encoding="utf-8"))
    for table in TABLES:
        connection.execute(f"create temp view {table} as from dataset.{table}")
    if judgement is not None:
        connection.execute("set variable judgement_fraction = ?", [judgement])
        connection.execute(f"create or replace temp view error_loads as {_text('other_judgement')}")
    return connection


def _total(connection: duckdb.DuckDBPyConnection) -> Total:
    """The sum of the whole runs of the table `selected`."""
    counts = choose(connection)
    if not counts.get("whole"):
        raise BadSelectionError(
            f"no whole run matches ({quantities.counted(sum(counts.values()), 'other row')}: parts, bounds "
            "or second rows of a training). Give a wider condition"
        )
    prepare(connection, DRAWS)
    sets = [draw_sums(connection, number) for number in SEEDS]
    largest, share = connection.execute(
        "select arg_max(run_id, energy_mwh_mean), max(energy_mwh_mean) / sum(energy_mwh_mean) "
        "from emissions inner join chosen using (run_id)"
    ).fetchall()[0]
    solid = connection.execute(
        "select solidity, sum(energy_mwh_mean order by run_id) "
        "from emissions inner join chosen using (run_id) group by solidity"
    ).fetchall()
    mean = sum(energy for _, energy in solid)
    return Total(
        runs=counts["whole"],
        left_out_parts=counts.get("parts", 0),
        left_out_bounds=counts.get("bounds", 0),
        left_out_shared=counts.get("shared", 0),
        sums={name: _sum(connection, name, [each[name] for each in sets]) for name in QUANTITIES},
        largest_run_id=largest,
        largest_run_share_fraction=share,
        solidity_share_fractions={name: energy / mean for name, energy in sorted(solid)},
        draws=DRAWS * len(sets),
    )


def choose(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Make the table `chosen`: the runs of `selected` that count in a sum; returns the rows of each kind."""
    connection.execute(f"create temp table kinds as {_text('kinds')}")
    connection.execute("create temp table chosen as select run_id from kinds where kind = 'whole'")
    return dict(connection.execute("select kind, count(*) from kinds group by kind").fetchall())


def prepare(connection: duckdb.DuckDBPyConnection, n: int) -> None:
    """Make what the draws of n each take: their numbers, and the normal distribution in n equal parts."""
    connection.execute("set variable n = cast(? as integer)", [n])  # an integer is divided in half the time
    connection.execute(
        "create or replace temp table drawn as select cast(unnest(range(?)) as integer) as draw", [n]
    )
    connection.execute(
        "create or replace temp table normal_draws as select list(z order by draw) as z "
        "from (select draw, normal_quantile((draw + 0.5) / ?) as z from drawn)",
        [n],
    )


def seed(connection: duckdb.DuckDBPyConnection, number: int) -> None:
    """Make the table `drawn_errors` of one set of draws: the chosen runs with their errors."""
    connection.execute("set variable seed = ?", [number])
    connection.execute(f"create or replace temp table drawn_errors as {_text('drawn_errors')}")


def _text(name: str) -> str:
    return (ROOT / "sql" / "totals" / f"{name}.sql").read_text(encoding="utf-8")


def draw_sums(connection: duckdb.DuckDBPyConnection, number: int) -> dict[str, list[float]]:
    """The sum of the chosen runs in each draw, by quantity; in whole units, so that no order matters."""
    seed(connection, number)
    rows = connection.execute(SUMS.format(draws=_text("draws"))).fetchall()
    return {name: [row[place] or 0.0 for row in rows] for place, name in enumerate(QUANTITIES, start=1)}


def quantiles(draws: list[float]) -> tuple[float, float, float]:
    """The 5 %, 50 % and 95 % quantiles of draws, with linear interpolation."""
    ordered = sorted(draws)

    def at(fraction: float) -> float:
        place = fraction * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (place - low) * (ordered[high] - ordered[low])

    return at(0.05), at(0.5), at(0.95)


def error_fraction(sets: Iterable[Iterable[float]]) -> float:
    """The standard error of the worst quantile, from those of independent sets of draws."""
    ends = [*zip(*sets, strict=True)]
    worst = (
        statistics.stdev(each) / statistics.fmean(each) if statistics.fmean(each) else 0.0 for each in ends
    )
    return max(worst) / math.sqrt(len(ends[0]))


def _sum(connection: duckdb.DuckDBPyConnection, name: str, sets: list[list[float]]) -> Sum:
    mean, values = connection.execute(
        f"select sum({name}_mean), sum({name}) from emissions inner join chosen using (run_id)"
    ).fetchall()[0]
    p05, p50, p95 = quantiles([draw for each in sets for draw in each])
    return Sum(
        p05=p05,
        p50=p50,
        p95=p95,
        mean=mean or 0.0,
        sum_of_values=values or 0.0,
        error_fraction=error_fraction(quantiles(each) for each in sets),
        unit=QUANTITIES[name],
    )


def _refusal(error: duckdb.Error) -> str:
    """Why a condition was refused, without the words that only authors of a database know."""
    expected = f"Expected a condition over the columns of the table emissions: {EXAMPLE}"
    if unknown := UNKNOWN_COLUMN.search(str(error)):
        return (
            f"the table emissions has no column {unknown[1]}. Text stands in single quotes ('{unknown[1]}'); "
            f"`ote explain emissions` lists the columns. {expected}"
        )
    says = str(error).splitlines()[0].rstrip(".!")
    return f"DuckDB cannot read it ({says.split('Error: ', 1)[-1]}). {expected}"
