"""Energy and CO2e of a run of one's own, by the fallback orders and uncertainties of the published database.

Belongs here: taking runs in, refusing what cannot be, and the queries of sql/estimate over one DuckDB file.
Does not belong here: the formula (sql/estimate/estimates.sql), files of runs (batch.py), printing
(cli/estimate.py), disclosures (disclosure.py), or the logs of other tools (imports.py).
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from ote import hardware_units, sql_files
from ote.answers import delimited, locations
from ote.answers.published import DATABASE, ends, open_database
from ote.answers.rows import load
from ote.errors import Error
from ote.names import identifier, literal, shown

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

# Columns of other people's tables.
SYNONYMS = {
    **dict.fromkeys(("gpu", "gpu_model", "gpu_name", "gpu_type", "accelerator", "device"), "hardware"),
    **dict.fromkeys(("gpus", "gpu_count", "num_gpus", "n_gpus", "accelerators"), "chips"),
    **dict.fromkeys(("gpu_hours", "accelerator_hours"), "chip_hours"),
    **dict.fromkeys(("kwh", "energy_consumed"), "energy_kwh"),
    **dict.fromkeys(("date", "start_date"), "started"),
}
# What a run may state: column, option of the command line, and what it is.
COLUMNS = {
    "model": ("--name", "name of the run"),
    "hardware": ("--hardware", "accelerator, in any known spelling, such as H100"),
    "chips": ("--chips", "number of accelerators"),
    "training_hours": ("--hours", "duration of the run in wall-clock hours"),
    "chip_hours": ("--chip-hours", "accelerator-hours: number of accelerators x hours"),
    "training_flop": ("--flop", "floating-point operations of the training, such as 3e23"),
    "watts_per_chip": (
        "--power",
        "measured average power of the whole system per accelerator, in W, before PUE",
    ),
    "energy_kwh": ("--energy", "measured electricity of the machines, in kWh, before PUE"),
    "metering": (
        "--metering",
        "how --energy was measured, and what it leaves out; `ote report` prints this text",
    ),
    "pue": ("--pue", "energy of the data center divided by energy of its computers"),
    "provider": ("--provider", "operator of the data center, such as AWS"),
    "cloud_region": ("--region", "cloud region of the run, such as us-central1"),
    "site_country": ("--country", "country of the run, as code (FR) or name (France)"),
    "site_state": ("--state", "US state or a province, such as Texas or CA-QC"),
    "carbon_intensity_g_per_kwh": ("--intensity", "carbon intensity of the local grid, in g CO2e per kWh"),
    "cfe_fraction": (
        "--cfe",
        "carbon-free share of your electricity hour by hour, the share of the grid included: 0 to 1",
    ),
    "market_g_per_kwh": (
        "--market-intensity",
        "carbon intensity after your yearly contracts (market-based), in g CO2e per kWh",
    ),
    "started": ("--start", "when the run started: YYYY-MM-DD, YYYY-MM or YYYY"),
}
QUANTITIES = (
    "chips",
    "training_hours",
    "chip_hours",
    "training_flop",
    "energy_kwh",
    "pue",
    "gross_kg_per_kwh",
    "cfe_fraction",
    "market_kg_per_kwh",
)
TABLES = (
    "hardware",
    "support.hardware_aliases",
    "hardware_power",
    "regions",
    "support.countries",
    "support.provider_aliases",
    "support.location_factors",
    "grid_intensity",
    "support.grid_months",
    "support.grid_shares",
    "support.market_locations",
    "support.net_fit",
    "support.lifecycle_ratio",
    "left_out",
    "method",
    "training_runs",
    "release",
)
NEEDS = (
    "select measured_by from hardware_power union all select alias from support.provider_aliases "
    "union all select location_id from support.market_locations union all select run_id from left_out "
    "union all select cast(lifecycle_to_direct_ratio as varchar) from support.lifecycle_ratio limit 0"
)
NAMES = ("hardware", "provider", "cloud_region", "site_country", "site_state")
# Beside an answer only where they say something.
IF_KNOWN = ("counting", "metering", "site_state", "within_country")
SHOWN = 10
# How a problem of one run is named: to a person at the command line, and to a program.
BY_OPTION, BY_COLUMN = "{option} {says}", "{column}: {says}"
LONGEST_CELL = 1000  # characters, as macro is_bad_text has it

# Which fact puts a factor on its best basis, and how a person gives it.
FACTS = {
    "chip_hours": "the chip-hours, as --chip-hours or --chips with --hours",
    "watts_per_chip": "the measured power of the whole system per accelerator, as --power",
    "pue": "the PUE of the data center, as --pue",
    "gross_kg_per_kwh": "the location of the run, as --region, --country or --intensity",
}
# Once the country, the state or the region is given.
OF_THE_TIME = "the carbon intensity of the grid at the time of the run, as --intensity"
IN_STATES = "the region (--region), the state (--state) or the carbon intensity (--intensity)"
FINER = {
    "site_country": "the region (--region) or the carbon intensity (--intensity)",
    "site_state": OF_THE_TIME,
    "cloud_region": OF_THE_TIME,
}


class BadRunsError(Error):
    """What is wrong with the runs given, a line each: which run and column, and what was expected."""


@dataclass(frozen=True, kw_only=True)
class Narrowing:
    """The one fact that would narrow the interval of gross CO2e most, and the interval it would leave."""

    factor: str
    fact: str
    co2e_gross_t_p05: float
    co2e_gross_t_p95: float


def estimate(
    runs: "Mapping[str, Any] | pl.DataFrame | pd.DataFrame",
    database: Path = DATABASE,
    today: date | None = None,
) -> "dict[str, Any] | pl.DataFrame | pd.DataFrame":
    """Energy (MWh) and operational CO2e (t) of runs, each with a 90 % interval.

    Args:
        runs: one run as a mapping, or a frame of Polars or pandas with a row per run; keys and columns are
            those of COLUMNS, with their units, all optional: chips, training_hours (h), chip_hours (h),
            training_flop (FLOP), watts_per_chip (W), energy_kwh (kWh), carbon_intensity_g_per_kwh
            (g CO2e per kWh), cfe_fraction (0 to 1), market_g_per_kwh (g CO2e per kWh), started (date).
        database: the published DuckDB file; no network is used.
        today: the date that a run without one counts as started on.

    Returns:
        A mapping with its factors below `factors` for one run; for a frame one of the same library
        and as many rows, with the columns of the table emissions and the gsd, year and source of each factor.

    Raises:
        BadRunsError: a value cannot be, is contradicted, or too little is given; every problem is named.
        NoDatabaseError: the database is missing, unreadable or older than this method.
    """
    if isinstance(runs, Mapping):
        return estimate_run(runs, database, today, BY_COLUMN)
    columns = list(runs.columns)
    unknown_columns(columns)
    with opened(database, today) as connection:
        connection.register("frame", runs)
        take(connection, "frame", columns)
        _refuse(connection, "row {row}, {column}: {says}")
        settle(connection)
        found = connection.sql("select * exclude (row_number) from estimates order by row_number")
        frame: pl.DataFrame | pd.DataFrame
        frame = found.pl() if type(runs).__module__.startswith("polars") else found.df()
        return frame


def estimate_run(
    run: Mapping[str, Any],
    database: Path = DATABASE,
    today: date | None = None,
    problem: str = BY_OPTION,
) -> dict[str, Any]:
    """One run as `estimate` returns it: columns of emissions, factors, version of the dataset."""
    with opened(database, today) as connection:
        _take_one(connection, run, problem)
        settle(connection)
        cursor = connection.execute("select * exclude (row_number) from estimates")
        names = [column[0] for column in cursor.description or []]
        row = dict(zip(names, cursor.fetchall()[0], strict=True))
    return nested(row)


def meant(run: Mapping[str, Any], database: Path = DATABASE) -> dict[str, Any]:
    """What the names of a run stand for: hardware_id, provider, cloud_region, and run_year of `started`.

    Raises:
        BadRunsError: a name is not known, and the nearest ones are named; or a quantity cannot be.
        NoDatabaseError: as estimate.
    """
    # Names alone make no run; of a run with its energy, hardware that is not known would not matter.
    rest = {"chips": 1, "training_hours": 1} if "hardware" in run else {"energy_kwh": 1}
    with opened(database, None) as connection:
        _take_one(connection, {**rest, **run})
        (found,) = connection.execute(
            "select hardware_id, named_provider, cloud_region, run_year from runs"
        ).fetchall()
    return dict(zip(("hardware_id", "provider", "cloud_region", "run_year"), found, strict=True))


def estimate_rows(
    runs: Sequence[Mapping[str, Any]],
    database: Path = DATABASE,
    today: date | None = None,
    places: Sequence[delimited.Place] | None = None,
) -> tuple[list[dict[str, Any]], list[delimited.Reject]]:
    """Each run as estimate_run returns it, and the rows that cannot be, with their places or numbers.

    Raises:
        BadRunsError: a key is none of COLUMNS.
        NoDatabaseError: as estimate.
    """
    places = places or [delimited.Place(row=number) for number in range(1, len(runs) + 1)]
    with opened(database, today) as connection:
        rejected = _take_rows(connection, list(zip(places, runs, strict=True)))
        cursor = connection.execute("select * exclude (row_number) from good_estimates order by row_number")
        names = [column[0] for column in cursor.description or []]
        return [nested(dict(zip(names, row, strict=True))) for row in cursor.fetchall()], rejected


def impossible(runs: Sequence[Mapping[str, str]]) -> list[tuple[int, str, str]]:
    """Index, column and reason of each quantity that no run has; what is not a number is not judged."""
    with duckdb.connect() as connection:
        load(connection, "given", QUANTITIES, ([run.get(name) for name in QUANTITIES] for run in runs))
        numbers = ", ".join(f"try_cast({name} as double) as {name}" for name in QUANTITIES)
        connection.execute(
            f"create temp view runs as select row_number() over () - 1 as row_number, {numbers} from given"
        )
        return connection.execute(f"{query('bounds')} order by row_number, column_name").fetchall()


def counted_twice(run: Mapping[str, str]) -> dict[str, str]:
    """Columns of a run whose number the name of its hardware has already, and what to do."""
    names = ("row_number", "hardware", "chips", "chip_hours")
    with duckdb.connect() as connection:
        load(connection, "given", names, [["1", *(run[name] or None for name in names[1:])]])
        _count(connection)
        found = connection.execute(f"{query('slices')} order by column_name desc").fetchall()
        return {column: says for _, column, says in found}


def _take_rows(
    connection: duckdb.DuckDBPyConnection, given: Sequence[tuple[delimited.Place, Mapping[str, Any]]]
) -> list[delimited.Reject]:
    """Runs of a file, ready to be estimated in the view good_estimates, and those that cannot be.

    Raises:
        BadRunsError: a key is none of COLUMNS.
    """
    columns = list(dict.fromkeys(column for _, row in given for column in row)) or ["model"]
    unknown_columns(columns)
    rejected, good = [], []
    for place, row in given:
        cells = cells_of(place, row, columns)
        if isinstance(cells, delimited.Reject):
            rejected.append(cells)
        else:
            good.append((place, cells))
    load(connection, "batch", columns, (cells for _, cells in good))
    take(connection, "batch", columns)
    bad = _set_aside(connection)
    return rejected + [
        delimited.Reject(place=good[row - 1][0], column=column, reason=says) for row, column, says in bad
    ]


def cells_of(
    place: delimited.Place, row: Mapping[str, Any], columns: Sequence[str]
) -> list[str | None] | delimited.Reject:
    """The cells of a row as text, or why it is none: a cell holds a list or an object."""
    for column, cell in row.items():
        if isinstance(cell, dict | list):
            reason = f"{shown(cell)}, expected text or a number"
            return delimited.Reject(place=place, column=column, reason=reason)
    return [None if row.get(column) in (None, "") else str(row[column]) for column in columns]


def _set_aside(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, str, str]]:
    """Row, column and reason of what cannot be; the view good_estimates is of the others."""
    connection.execute(f"create temp table problems as {problems(connection)}")
    bad = connection.execute("select * from problems order by all").fetchall()
    settle(connection)
    good = "where row_number not in (select row_number from problems)" if bad else ""
    connection.execute(f"create temp view good_estimates as select * from estimates {good}")
    return bad


def unknown_columns(given: Sequence[str], where: str = "") -> None:
    """Refuse a column that no run has.

    Raises:
        BadRunsError: names it, and the nearest that is known.
    """
    unknown = [column for column in given if column not in COLUMNS]
    if not unknown:
        return
    hints = [
        f"{shown(column)} (did you mean {near}{_scale(column, near)}?)"
        if (near := _nearest(column))
        else shown(column)
        for column in unknown
    ]
    known = "" if all(map(_nearest, unknown)) else f"; known are {', '.join(COLUMNS)}. Take other columns out"
    raise BadRunsError(f"{where}there is no column {', '.join(hints)}{known}")


def _scale(column: str, near: str) -> str:
    """By what to multiply an energy whose column names another unit than kWh; else empty."""
    unit = re.search(r"(?i)(?<![a-z])(?:Wh|MWh|GWh)(?![a-z])", column)
    if near != "energy_kwh" or not unit:
        return ""
    factor = {"wh": "0.001", "mwh": "1,000", "gwh": "1,000,000"}[unit[0].lower()]
    return f" = {factor} x {unit[0]}"


def _nearest(column: str) -> str:
    """The column that an unknown name may mean; empty if there is none."""
    options = {option[2:].replace("-", "_"): name for name, (option, _) in COLUMNS.items()}
    plain = column.strip().lower()
    return {**options, **SYNONYMS}.get(plain) or next(iter(get_close_matches(plain, COLUMNS, 1)), "")


def narrowing(run: Mapping[str, Any], best: Mapping[str, float]) -> Narrowing | None:
    """Which fact would narrow the interval of gross CO2e most; None where every factor is on its best basis.

    Args:
        run: one run as estimate_run returns it.
        best: the gsd of each factor's best basis, as best_gsds returns it.
    """
    tonnes = run["co2e_gross_t"]
    if not tonnes:  # a grid of 0 g/kWh: the interval is 0 to 0
        return None
    known = {name: factor for name, factor in run["factors"].items() if name in FACTS and factor["gsd"]}
    gains = {
        name: [
            now**2 - then**2
            for now, then in zip(
                _distances(factor["value"], *ends(name, factor["value"], factor["gsd"])),
                _distances(factor["value"], *ends(name, factor["value"], best[name])),
                strict=True,
            )
        ]
        for name, factor in known.items()
    }
    if not gains or max(map(sum, gains.values())) < 1e-3:
        return None
    factor = max(gains, key=lambda name: sum(gains[name]))
    now = _distances(tonnes, run["co2e_gross_t_p05"], run["co2e_gross_t_p95"])
    below, above = (
        math.sqrt(max(distance**2 - gain, 0)) for distance, gain in zip(now, gains[factor], strict=True)
    )
    return Narrowing(
        factor=factor,
        fact=_fact(run, factor),
        co2e_gross_t_p05=tonnes * math.exp(-below),
        co2e_gross_t_p95=tonnes * math.exp(above),
    )


def _distances(value: float, low: float, high: float) -> tuple[float, float]:
    """How far the ends of an interval are below and above, as logarithms; a product adds their squares."""
    return math.log(value / low), math.log(high / value)


def _fact(run: Mapping[str, Any], factor: str) -> str:
    """What to give next for a factor: nothing that was given already."""
    given = (
        [finer for column, finer in FINER.items() if run.get(column)] if factor == "gross_kg_per_kwh" else []
    )
    if given == [FINER["site_country"]] and locations.has_states(run["site_country"]):
        return IN_STATES
    return given[-1] if given else FACTS[factor]


def best_gsds(database: Path = DATABASE) -> dict[str, float]:
    """The gsd of the best basis of each factor."""
    with open_database(database, NEEDS) as connection:
        rows = connection.execute("select factor, gsd from method where fallback_rank = 1").fetchall()
    return dict(rows)


@contextmanager
def opened(
    database: Path, today: date | None, settings: Mapping[str, str] | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The dataset in view, read-only, next to an empty database for the runs.

    Args:
        database: the published DuckDB file.
        today: the date that a run without one counts as started on.
        settings: of DuckDB, such as its limit of memory.

    Raises:
        NoDatabaseError: as estimate.
    """
    open_database(database, NEEDS).close()
    with duckdb.connect(config=dict(settings or {})) as connection:
        connection.execute(f"attach {literal(database)} as dataset (read_only)")
        view(connection, today)
        yield connection


def view(connection: duckdb.DuckDBPyConnection, today: date | None) -> None:
    """What the queries read, for a connection to which the dataset is attached."""
    for table in TABLES:
        name = table.removeprefix("support.")
        connection.execute(f"create temp view {name} as select * from dataset.{table}")
    sql_files.run(connection, "macros")
    connection.execute(
        f"create temp table states as from read_csv({literal(locations.STATES)}, all_varchar = true)"
    )
    connection.execute("set variable today = cast(? as date)", [today or datetime.now(UTC).date()])


def take(connection: duckdb.DuckDBPyConnection, origin: str, columns: Sequence[str]) -> None:
    """Runs of a relation, all cells as text, resolved and ready to be judged."""
    cells = ", ".join(
        f"cast({identifier(column)} as varchar) as {column}"
        if column in columns
        else f"cast(null as varchar) as {column}"
        for column in COLUMNS
    )
    number = "row_number" if "row_number" in columns else "row_number() over () as row_number"
    connection.execute(f"create or replace temp view cells as select {number}, {cells} from {origin}")
    _set_bad_text_aside(connection)
    resolve(connection)
    connection.execute(f"create or replace temp table runs as {query('runs')}")
    connection.execute(f"create or replace temp view out_of_bounds as {query('bounds')}")
    connection.execute(f"create or replace temp view counted_twice as {query('slices')}")


def settle(connection: duckdb.DuckDBPyConnection) -> None:
    """The view estimates of the runs, each location and period of which is looked up once."""
    connection.execute(
        "create temp table stays as select distinct location_no, period_no, month_count from runs"
    )
    connection.execute(f"create temp table settings as {query('settings')}")
    connection.execute(f"create temp view estimates as {query('estimates')}")


def resolve(connection: duckdb.DuckDBPyConnection) -> None:
    """The tables of what the names and the starts in the view given mean, each distinct one once."""
    connection.execute(
        f"create or replace temp table named_cells as select distinct {', '.join(NAMES)} from given"
    )
    connection.execute("create or replace temp table start_cells as select distinct started from given")
    _count(connection)
    for table in ("names", "starts", "gsds", "powers"):
        connection.execute(f"create or replace temp table {table} as {query(table)}")


def _count(connection: duckdb.DuckDBPyConnection) -> None:
    """Tables of what a piece of each hardware in the view given is in chips, and of names of generations."""
    connection.execute("create or replace temp table generations (hardware text, message text)")
    connection.execute(
        "create or replace temp table countings (hardware text, model text, chips_each double, message text)"
    )
    for (spelling,) in connection.execute(
        "select distinct hardware from given where hardware is not null"
    ).fetchall():
        if counting := hardware_units.named(spelling):
            values = [spelling, counting.model, counting.chips_each, counting.says]
            connection.execute("insert into countings values (?, ?, ?, ?)", values)
        elif says := hardware_units.generation(spelling):
            connection.execute("insert into generations values (?, ?)", [spelling, says])


def _take_one(
    connection: duckdb.DuckDBPyConnection, run: Mapping[str, Any], problem: str = BY_OPTION
) -> None:
    """One run, refused where it cannot be."""
    unknown_columns(list(run))
    given = {column: str(run[column]) for column in COLUMNS if run.get(column) is not None}
    cells = ", ".join(f"cast(? as varchar) as {column}" for column in given) or "null as model"
    connection.execute(f"create temp table one as select {cells}", list(given.values()))
    take(connection, "one", list(given))
    _refuse(connection, problem)


def _set_bad_text_aside(connection: duckdb.DuckDBPyConnection) -> None:
    """The view given: the cells without those that hold control characters or are too long.

    The table bad_text names those, by row, column and reason.
    """
    found = ", ".join(
        f"if(is_bad_text({column}), [left({column}, 40), length({column})::text], null)" for column in COLUMNS
    )
    rows = connection.execute(
        f"select row_number, {found} from cells where {' or '.join(f'is_bad_text({c})' for c in COLUMNS)}"
    ).fetchall()
    connection.execute(
        "create or replace temp table bad_text (row_number bigint, column_name text, message text)"
    )
    for row, *cells in rows:
        for column, cell in zip(COLUMNS, cells, strict=True):
            if cell:
                long = f"{int(cell[1]):,} characters, expected at most {LONGEST_CELL:,}"
                what = long if int(cell[1]) > LONGEST_CELL else "a control character, expected text"
                says = f"{shown(cell[0])}: {what}"
                connection.execute("insert into bad_text values (?, ?, ?)", [row, column, says])
    good = ", ".join(f"if(is_bad_text({column}), null, {column}) as {column}" for column in COLUMNS)
    taken = f"row_number, {good}" if rows else "*"
    connection.execute(f"create or replace temp view given as select {taken} from cells")


def problems(connection: duckdb.DuckDBPyConnection) -> str:
    """The query of what keeps the runs that were taken from being estimated: row_number, column, reason."""
    connection.execute("create or replace temp table unknown_regions (cloud_region text, message text)")
    for (region,) in connection.execute(
        "select distinct given_region from names where given_region is not null and cloud_region is null"
    ).fetchall():
        values = [region, locations.unknown_region(region)]
        connection.execute("insert into unknown_regions values (?, ?)", values)
    return f"select * from ({query('problems')}) union all select * from bad_text"


def _refuse(connection: duckdb.DuckDBPyConnection, line: str) -> None:
    rows = connection.execute(f"select * from ({problems(connection)}) limit {SHOWN + 1}").fetchall()
    lines = [
        line.format(row=row, column=column, option=COLUMNS[column][0], says=says)
        for row, column, says in rows
    ]
    if "{option}" in line:
        lines = [_with_options(text) for text in lines]
    _refuse_lines(lines)


def _refuse_lines(lines: list[str]) -> None:
    if lines:
        raise BadRunsError("\n".join(first_ten(lines)))


def first_ten(lines: list[str]) -> list[str]:
    """Some lines, or the first of them and that there are more."""
    return lines[:SHOWN] + ["and more"] * (len(lines) > SHOWN)


def _with_options(text: str) -> str:
    """Options for the columns that a sentence names, as the command line has them."""
    for column in sorted(COLUMNS, key=len, reverse=True):
        if "_" in column:
            text = re.sub(rf"\b{column}\b", COLUMNS[column][0], text)
    for column in ("hardware", "chips"):
        text = text.replace(f"{column}=", f"{COLUMNS[column][0]} ")
    return text.replace(" chips with --hours", " --chips with --hours")


def query(name: str) -> str:
    """A query of sql/estimate by its name."""
    return sql_files.text(f"estimate.{name}")


def nested(row: Mapping[str, Any]) -> dict[str, Any]:
    """A flat row of estimates with the uncertainty, basis, year and source of each factor below `factors`."""
    factors = {}
    for factor, prefix in (
        ("energy_kwh", "energy"),
        ("chip_hours", "chip_hours"),
        ("watts_per_chip", "watts"),
        ("pue", "pue"),
        ("gross_kg_per_kwh", "gross"),
        ("net_kg_per_kwh", "net"),
    ):
        if factor == "energy_kwh" and row[factor] is None:
            continue
        factors[factor] = {
            "value": row[factor],
            "gsd": row[f"{prefix}_gsd"],
            "basis": row[f"{prefix}_basis"],
            "factor_year": (year := row.get(f"{prefix}_factor_year")),
            "is_other_year": None if year is None else year != row["run_year"],
            **{part: row.get(f"{prefix}_{part}") for part in ("source_url", "source_locator")},
        }
    details = ("_gsd", "_factor_year", "_source_url", "_source_locator")
    return {
        name: cell
        for name, cell in row.items()
        if (name.startswith("lifecycle_") or not name.endswith(details))
        and (cell is not None or name not in IF_KNOWN)
    } | {"factors": factors}
