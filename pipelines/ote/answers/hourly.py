"""A user's own hourly series of the intensity of grids, for the runs of a batch.

Belongs here: reading a series, and refusing one that cannot be. Does not belong here: which hours a run had
(sql/estimate/hourly_runs.sql), or files of runs (batch.py).
"""

from pathlib import Path

import duckdb

from ote.answers import estimate, run_files
from ote.answers.estimate import BadRunsError
from ote.names import literal

# Columns of a series; others are not read.
COLUMNS = {
    "zone": "code of a cloud region, state or country",
    "hour_utc": "begin of the hour in UTC",
    "carbon_intensity_g_per_kwh": "average intensity of the grid, g CO2e per kWh",
}


def take(connection: duckdb.DuckDBPyConnection, source: str, folder: Path) -> None:
    """The tables hour_sums and hour_zones of a series.

    Args:
        connection: one of estimate.opened.
        source: a file (CSV, Parquet, JSON), a folder of Parquet files, a pattern or an address.
        folder: a temporary one.

    Raises:
        BadRunsError: it cannot be read, or a row of it is wrong; the rows are named.
    """
    copies = folder / "hours"
    copies.mkdir()
    hours = run_files.opened(connection, source, copies, COLUMNS)
    line = "line" if "line" in hours.kinds else "0 as line"
    cells = ", ".join(f"{run_files.cell(column, hours.kinds[column])} as {column}" for column in COLUMNS)
    connection.execute(
        f"create temp table hour_cells as select row_number, {line}, {cells} from {hours.relation()}"
    )
    connection.execute(f"create temp table hours as {estimate.query('hours')}")
    found = connection.execute(f"from ({estimate.query('hour_problems')}) limit {estimate.SHOWN + 1}")
    wrong = [*hours.unread[: estimate.SHOWN + 1], *found.fetchall()]
    if wrong:
        lines = [
            f"{source}, {hours.reject(row_number, line, column, reason)}"
            for row_number, line, column, reason in wrong
        ]
        raise BadRunsError("\n".join(estimate.first_ten(lines)))
    connection.execute(f"create temp table hour_sums as {estimate.query('hour_sums')}")
    connection.execute("create temp table hour_zones as select distinct zone from hour_sums")


def view(connection: duckdb.DuckDBPyConnection) -> None:
    """The view runs by the hour, where their zone is in the series that was taken."""
    connection.execute(f"create or replace temp view yearly_runs as {estimate.query('runs')}")
    connection.execute(f"create or replace temp view runs as {estimate.query('hourly_runs')}")


def refuse_local_starts(connection: duckdb.DuckDBPyConnection) -> None:
    """Add to the table problems the runs of the series whose time has no zone."""
    says = "select coalesce(bool_or(is_time_without_zone(cast(started as varchar))), false) from start_cells"
    ((some,),) = connection.execute(says).fetchall()
    if some:
        connection.execute(f"insert into problems {estimate.query('local_starts')}")


def note(connection: duckdb.DuckDBPyConnection) -> str:
    """How many runs are by the hour, how many of them lack an hour, and how many are by the year."""
    counted = (
        "select gross_basis, count(*) from runs anti join rejected on runs.row_number = rejected.row_number "
        f"where gross_basis in ({literal('given_hours')}, {literal('missing_hours')}) group by all"
    )
    runs = dict(connection.execute(counted).fetchall())
    given, missing = runs.get("given_hours", 0), runs.get("missing_hours", 0)
    without = (
        f"; {missing:,} more without CO2e, because the series lacks an hour of the run" if missing else ""
    )
    return f"By the hour: {given:,} {'run' if given == 1 else 'runs'}{without}"
