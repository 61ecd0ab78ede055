"""What a release estimates and nobody has published yet: warehouse/released/forecasts.csv.

Belongs here: which estimates are kept until a developer publishes the figure. Does not belong here: how near
they were (sql/out/forecasts.sql), or what else is remembered of a release (record.py).
"""

import csv
from pathlib import Path

import duckdb

from ote import catalog
from ote.ingestion import curated
from ote.releases.release_files import DATABASE

FORECASTS = "forecasts.csv"
OPEN = "select run_id, quantity, estimate, p05, p95, ? as estimated_in from support.open_forecasts"


def keep(release: Path, released: Path) -> None:
    """Write the file after a release: its estimates of what is open, and those of before of the rest.

    Raises:
        BadReferenceError: the file of before cannot be read; it names each row.
    """
    table, file = catalog.tables()["raw.forecasts"], released / FORECASTS
    before = curated.read(released, table).rows() if file.exists() else []
    with duckdb.connect(str(release / DATABASE), read_only=True) as connection:
        now = connection.execute(OPEN, [release.name]).fetchall()
    rows = {row[:2]: row for row in (*before, *now)}
    released.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{FORECASTS}.partial")
    with partial.open("w", encoding="utf-8", newline="") as written:
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(column.name for column in table.columns)
        writer.writerows(rows[key] for key in sorted(rows))
    partial.replace(file)
