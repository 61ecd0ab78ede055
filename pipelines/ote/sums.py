"""The tables of sums: for all groups of runs at once, what `ote total` answers for one selection.

Belongs here: the draws of all runs, the sums of groups in each draw, their quantiles, and their trends.
Does not belong here: the errors of a run, which runs count, and the columns of a table (sql/totals/).
"""

from collections.abc import Iterator
from functools import cache
from statistics import NormalDist
from typing import Any

import dagster as dg
import duckdb
import numpy as np
import polars as pl

from ote import catalog, models, sql_files
from ote.answers import totals
from ote.warehouse import Warehouse, distrusted_on_failure, replace_table, unchanged

DRAWS = 8191  # of each of the four sets behind totals; a prime
RUN_DRAWS = 509  # of each run in emission_draws; a prime
MANTISSA = 64  # a draw keeps 6 binary digits: rounding moves it by at most 1.6 %
ENDS = (0.05, 0.5, 0.95)
MOST_ERRORS = 4  # of a factor of a run, in sql/totals/drawn_errors.sql
FEWEST_RUNS = 5  # in each year of a trend and each of its sets
SOLIDITIES = ("measured", "disclosed", "inferred", "guessed")
NORMAL = NormalDist()
GROWING = ("all_runs", "disclosed_runs", "inferred_runs", "five_largest_runs")
QUANTITIES = tuple(totals.QUANTITIES)

Floats = np.ndarray[Any, np.dtype[np.float64]]
Key = tuple[str, str]  # kind and value of a group


@dg.multi_asset(
    name="sums",
    specs=[
        dg.AssetSpec(
            name.split("."),
            deps=[dg.AssetKey(table.split(".")) for table in sorted(models.above(name))],
            description=catalog.tables()[name].description,
            group_name="out",
            kinds={"sql", "duckdb"},
            owners=models.OWNERS,
            metadata=models.definition_metadata(catalog.tables()[name], list(models.raw_sources(name))),
        )
        for name in models.SUMS
    ],
)
def sums(warehouse: Warehouse) -> Iterator[dg.MaterializeResult[Any]]:
    """Draw the sums of runs again where a factor, an error or this code changed."""
    connection = warehouse.connection
    kept = {name: unchanged(connection, name, models.above(name)) for name in models.SUMS}
    made = {} if all(kept.values()) else frames(connection)
    for name in models.SUMS:
        if not (result := kept[name]):
            with distrusted_on_failure(connection, name):
                result = replace_table(connection, name, made[name], inputs=models.above(name))
        yield result._replace(asset_key=dg.AssetKey(name.split(".")))


def frames(published: duckdb.DuckDBPyConnection, threads: int | None = None) -> dict[str, pl.DataFrame]:
    """The rows of each table of sums.

    Args:
        published: a database with the tables that draws read, in schema out.
        threads: of the draws; every core by default. The rows do not depend on it.
    """
    with copied(published, threads) as connection:
        totals.choose(connection)
        runs = [run for (run,) in connection.execute("select run_id from chosen order by run_id").fetchall()]
        groups = _members(connection, runs, sql_files.text("totals.groups"), "group_kind, group_value")
        yearly = _members(
            connection,
            runs,
            sql_files.text("totals.trend_groups"),
            "run_set, published_year::varchar",
        )
        drawn = _group_sums(connection, groups | yearly)
        rows = [
            dict(zip(("group_kind", "group_value"), key, strict=True)) | _ends(drawn[key]) for key in groups
        ]
        connection.register("sums", pl.DataFrame(rows))
        connection.execute(f"create temp table groups as {sql_files.text('totals.groups')}")
        return {
            "out.emission_draws": _run_draws(connection, runs),
            "out.totals": _rounded(connection.sql(sql_files.text("totals.totals")).pl()),
            "out.trends": _rounded(
                trends({key: drawn[key] for key in yearly}, {k: len(v) for k, v in yearly.items()})
            ),
        }


def _rounded(rows: pl.DataFrame) -> pl.DataFrame:
    """Numbers to four significant digits: more says nothing next to the error of the draws."""
    return rows.with_columns(pl.col(pl.Float64).round_sig_figs(4))


def copied(published: duckdb.DuckDBPyConnection, threads: int | None) -> duckdb.DuckDBPyConnection:
    """A database in memory with what draws read: that of the build computes with one thread."""
    connection = duckdb.connect(config={"threads": threads} if threads else {})
    sql_files.run(connection, "macros")
    for name in sorted(models.SUMMED):
        connection.register("incoming", published.sql(f"from {name}").to_arrow_table())
        connection.execute(f"create temp table {name.removeprefix('out.')} as from incoming")
    connection.execute("create temp view selected as from emissions")
    return connection


def _members(
    connection: duckdb.DuckDBPyConnection, runs: list[str], query: str, key: str
) -> dict[Key, list[int]]:
    """The whole runs of each group, by their place among all whole runs."""
    places = {run: place for place, run in enumerate(runs)}
    found: dict[Key, list[int]] = {}
    for kind, value, run in connection.execute(
        f"select {key}, run_id from ({query}) order by all"
    ).fetchall():
        if run in places:
            found.setdefault((kind, value), []).append(places[run])
    return found


def drawn_runs(connection: duckdb.DuckDBPyConnection, n: int, seed: int) -> Iterator[tuple[Floats, ...]]:
    """The quantities of each chosen run in each draw, in the order of their ids.

    The same as sql/totals/draws.sql, in a third of the time.
    """
    totals.seed(connection, seed)
    z = np.array(connection.execute("select z from normal_draws").fetchall()[0][0])
    draws = np.arange(n, dtype=np.int32)
    for run in connection.sql("from drawn_errors order by run_id").pl().rows(named=True):
        hours, watts, pue, gross, lifecycle = (
            _logarithm(run, factor, draws, z) for factor in ("hours", "watts", "pue", "gross", "lifecycle")
        )
        if run["below_bound_fraction"] is not None:
            hours = _bounded(run, hours)
        overhead = (1 + (run["pue"] - 1) * np.exp(pue)) / run["pue"]
        energy_mwh = run["energy_mwh"] * np.exp(hours + watts) * overhead
        yield (
            energy_mwh,
            energy_mwh * (run["gross_kg_per_kwh"] * np.exp(gross)),
            energy_mwh * (run["lifecycle_kg_per_kwh"] * np.exp(lifecycle)),
        )


def _logarithm(run: dict[str, Any], factor: str, draws: np.ndarray[Any, Any], z: Floats) -> Floats:
    """The error of a factor of a run in each draw: its loads, times the quantiles that the lattice gives."""
    found = np.zeros(len(z))
    for place in range(1, MOST_ERRORS + 1):
        if (load := run.get(f"{factor}_w{place}")) is not None:
            ranks = run[f"{factor}_a{place}"] * draws + run[f"{factor}_b{place}"]
            ranks -= ranks // len(z) * len(z)  # the remainder, in a third of the time of %
            found += load * z[ranks]
    return found


def _bounded(run: dict[str, Any], hours: Floats) -> Floats:
    """The error of hours that a bound cuts off, in each draw: it keeps its place below the bound."""
    below, ln_gsd = run["below_bound_fraction"], run["hours_ln_gsd"]
    kept = [NORMAL.inv_cdf(below * NORMAL.cdf(each)) for each in (hours / ln_gsd).tolist()]
    made: Floats = ln_gsd * np.array(kept) + run["unbounded_ln"]
    return made


def _group_sums(
    connection: duckdb.DuckDBPyConnection, groups: dict[Key, list[int]]
) -> dict[Key, dict[str, Floats]]:
    """The sum of each group by quantity: a row for each set of draws. Runs are added in one order."""
    totals.prepare(connection, DRAWS)
    made = {key: {name: np.zeros((len(totals.SEEDS), DRAWS)) for name in QUANTITIES} for key in groups}
    groups_of: dict[int, list[Key]] = {}
    for key, places in groups.items():
        for place in places:
            groups_of.setdefault(place, []).append(key)
    for number, seed in enumerate(totals.SEEDS):
        for place, drawn in enumerate(drawn_runs(connection, DRAWS, seed)):
            for key in groups_of.get(place, []):
                for name, each in zip(QUANTITIES, drawn, strict=True):
                    made[key][name][number] += each
    return made


def _ends(drawn: dict[str, Floats]) -> dict[str, Any]:
    """The quantiles of a sum, with the error of the worst."""
    columns: dict[str, Any] = {}
    errors = []
    for name, each in drawn.items():
        ends = _quantiles(np.sort(each, axis=None))
        columns |= {f"{name}_{end}": value for end, value in zip(("p05", "p50", "p95"), ends, strict=True)}
        errors.append(totals.error_fraction(map(_quantiles, np.sort(each, axis=1))))
    return columns | {"draw_count": DRAWS * len(totals.SEEDS), "error_fraction": max(errors)}


def _quantiles(ordered: Floats) -> list[float]:
    """The quantiles of draws in order, with linear interpolation: sorted first, in a third of the time."""
    places = np.array(ENDS) * (len(ordered) - 1)
    low = places.astype(int)
    high = np.minimum(low + 1, len(ordered) - 1)
    found: list[float] = (ordered[low] + (places - low) * (ordered[high] - ordered[low])).tolist()
    return found


def _run_draws(connection: duckdb.DuckDBPyConnection, runs: list[str]) -> pl.DataFrame:
    """The draws of each whole run, rounded so that a file of them is small."""
    totals.prepare(connection, RUN_DRAWS)
    drawn = [*drawn_runs(connection, RUN_DRAWS, totals.SEEDS[0])]
    columns: dict[str, Any] = {
        "run_id": pl.Series(runs)[np.repeat(np.arange(len(runs)), RUN_DRAWS)],
        "draw": np.tile(np.arange(RUN_DRAWS), len(runs)),
    }
    for name, each in zip(QUANTITIES, zip(*drawn, strict=True), strict=True):
        mantissa, exponent = np.frexp(np.concatenate(each))
        columns[name] = np.ldexp(np.round(mantissa * MANTISSA) / MANTISSA, exponent)
    return pl.DataFrame(columns)


def trends(drawn: dict[Key, dict[str, Floats]], runs: dict[Key, int]) -> pl.DataFrame:
    """Growth, doubling time and shares of the yearly sums of sets of runs.

    Args:
        drawn: the sums of each set and year.
        runs: the runs of each set and year.
    """
    years = compared_years(runs)
    rows = []
    for name in QUANTITIES:
        by_set = {
            each: np.stack([drawn[each, str(year)][name].ravel() for year in years]) for each in GROWING
        }
        for run_set, sums_of_set in by_set.items():
            count = sum(runs[run_set, str(year)] for year in years)
            rows += _growth_rows(run_set, name, years, sums_of_set, count)
        for solidity in SOLIDITIES:
            for place, year in enumerate(years):
                key = solidity, str(year)
                part = drawn[key][name].ravel() if key in drawn else np.zeros(by_set["all_runs"].shape[1])
                share = np.quantile(part / by_set["all_runs"][place], ENDS)
                rows.append(_row("share", solidity, name, str(year), share, "fraction", runs.get(key, 0)))
    return pl.DataFrame(rows)


def compared_years(runs: dict[Key, int]) -> list[int]:
    """The last years, one after the other, in which each set of runs has enough."""
    enough = [
        year
        for year in sorted({int(year) for _, year in runs})
        if all(runs.get((each, str(year)), 0) >= FEWEST_RUNS for each in GROWING)
    ]
    return [year for year in enough if set(range(year, enough[-1])) <= set(enough)]


def growth(years: list[int], drawn: Floats) -> tuple[float, float, float]:
    """The 5 %, 50 % and 95 % quantile of the yearly growth of a sum, as a logarithm.

    In each draw, it is the slope of a least-squares line through the logarithms of the yearly sums. Two
    distances of the ends from the median add in squares: that of the slopes of the draws, which is the error
    of the estimates, and 1.645 standard errors of a slope, widened as for Student's t, because the years are
    not on a line.

    Args:
        years: at least three.
        drawn: the sum of each year, a row each, in each draw.
    """
    x = np.array(years) - np.mean(years)
    logs = np.log(drawn)
    slopes = x @ logs / (x @ x)
    rest = logs - logs.mean(axis=0) - np.outer(x, slopes)
    degrees = len(years) - 2
    errors = np.sqrt((rest**2).sum(axis=0) / degrees / (x @ x))
    low, middle, high = np.quantile(slopes, ENDS)
    scatter = float(np.median(errors)) * _student_quantile(degrees)
    return (
        float(middle - np.hypot(middle - low, scatter)),
        float(middle),
        float(middle + np.hypot(high - middle, scatter)),
    )


@cache
def _student_quantile(degrees: int) -> float:
    """The 95 % quantile of Student's t, as for the uncertainty of a basis."""
    with duckdb.connect() as connection:
        sql_files.run(connection, "macros")
        query = "select z_90() * student_widening(?)"
        ((found,),) = connection.execute(query, [degrees]).fetchall()
    return float(found)


def _growth_rows(
    run_set: str, quantity: str, years: list[int], drawn: Floats, count: int
) -> list[dict[str, Any]]:
    """Growth and doubling time of a set; the doubling time has no end where it may not grow at all."""
    found = growth(years, drawn)
    period = f"{years[0]} to {years[-1]}"
    factors = [float(np.exp(each)) for each in found]
    doubling = [float(np.log(2)) / each if each > 0 else None for each in reversed(found)]
    return [
        _row("growth", run_set, quantity, period, factors, "times a year", count),
        _row("doubling_time", run_set, quantity, period, doubling, "year", count),
    ]


def _row(
    measure: str, run_set: str, quantity: str, period: str, ends: Any, unit: str, count: int
) -> dict[str, Any]:
    low, middle, high = ends
    return {
        "measure": measure,
        "run_set": run_set,
        "quantity": quantity,
        "period": period,
        "p05": low,
        "p50": middle,
        "p95": high,
        "unit": unit,
        "run_count": count,
    }
