"""The curated facts: one CSV below warehouse/reference/ is one raw table of the same name; and the forecasts.

Belongs here: the assets of these files, and of the estimates of earlier releases. Does not belong here: any
change of a value, or what the values mean together (sql/core).
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import dagster as dg
import polars as pl

from ote import catalog
from ote.checkout import RELEASED
from ote.files import sha256_of
from ote.ingestion.curated import file_tables, read
from ote.ingestion.facts import read_text
from ote.models import raw_asset


def reference_files(directory: Path) -> pl.DataFrame:
    """raw.reference_files: the curated files with their checksums."""
    dataset = catalog.dataset()
    rows = [
        {
            "source_id": f"reference-{table.stem.replace('_', '-')}",
            "producer": dataset.title,
            "title": table.description.split(". ")[0].removesuffix("."),  # the first sentence
            "url": f"warehouse/reference/{table.stem}.csv",
            "license": dataset.license,
            "sha256": sha256_of(directory / f"{table.stem}.csv"),
            "row_count": len(read_text(directory, table).rows),
        }
        for table in file_tables()
    ]
    return pl.DataFrame(rows)


def publishers(directory: Path) -> pl.DataFrame:
    """raw.publishers: known producers, from catalog.yaml."""
    rows = [
        (prefix, known.producer, known.license, known.republish)
        for prefix, known in catalog.publishers().items()
    ]
    columns = [column.name for column in catalog.tables()["raw.publishers"].columns]
    return pl.DataFrame(rows, schema=columns, schema_overrides={"license": pl.String}, orient="row")


RECORDS: dict[str, Callable[[Path], pl.DataFrame]] = {
    "raw.reference_files": reference_files,
    "raw.publishers": publishers,
}

FORECASTS = catalog.tables()["raw.forecasts"]

reference_assets = [
    *(
        raw_asset(
            table.name, "reference", partial(read, table=table), [f"warehouse/reference/{table.stem}.csv"]
        )
        for table in file_tables()
    ),
    *(
        raw_asset(
            name,
            "reference",
            rows,
            ["warehouse/reference/*.csv", "catalog.yaml"],
            [dg.AssetKey(table.name.split(".")) for table in file_tables()],
        )
        for name, rows in RECORDS.items()
    ),
    raw_asset(
        FORECASTS.name,
        "reference",
        partial(read, table=FORECASTS),
        [f"{RELEASED}/forecasts.csv"],
        folder="released",
    ),
]
