"""Google's carbon-free energy and grid intensity by cloud region, as raw.google_region_carbon.

Belongs here: seven spellings of the header, percent and fraction, what the intensity counts. Does not belong
here: which region is where, or whose value counts (sql/core).
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import PurePosixPath

import polars as pl

from ote.ingestion.tabular import UpstreamChangedError, read_csv, rename

FOLDER = "google_region_carbon"
PERCENT_HEADER = "Google CFE%"
LIFECYCLE_HEADER = "Lifecycle grid carbon intensity (gCO2eq / kWh)"
# Google counted lifecycle emissions for 2019 and 2020 and the plants' own from 2021 on; its headers said so
# only from June 2022, when the same numbers of 2019 and 2020 were relabelled.
LAST_LIFECYCLE_YEAR = 2020

SPELLINGS = {
    "region": ("Google Cloud Region", "Cloud Region", "region"),
    "location": ("Location", "region_name"),
    # The first header of all has the grid's own share beside it, as grid_cfe: another quantity.
    "cfe_fraction": ("Google CFE", PERCENT_HEADER, "google_cfe"),
    "carbon_intensity_g_per_kwh": (
        "Grid carbon intensity (gCO2eq / kWh)",
        LIFECYCLE_HEADER,
        "Grid gCO2eq / kWh",
        "grid_gCO2perkWh",
    ),
}


def parse(files: Mapping[str, bytes]) -> pl.DataFrame:
    """One row per region and year, as text; a share that says percent as a fraction.

    Raises:
        UpstreamChangedError: no file is there, a name is no year, or a file lacks a column that it is known
            for.
    """
    if not files:
        raise UpstreamChangedError(f"{FOLDER}: no file of any year")
    return pl.concat([_year(files[file], file) for file in sorted(files)])


def percent_as_fraction(cell: str) -> str:
    """A percentage ("19", "19%") as a share of 1 ("0.19"), exact in decimals; what is no number stays."""
    try:
        return format(Decimal(cell.strip().removesuffix("%").strip()).scaleb(-2), "f")
    except InvalidOperation:
        return cell


def _year(content: bytes, file: str) -> pl.DataFrame:
    year = PurePosixPath(file).stem
    if not (year.isdecimal() and len(year) == 4):
        raise UpstreamChangedError(f"{file}: the name is not a year, expected e.g. {FOLDER}/2024.csv")
    table = read_csv(content, file)
    is_lifecycle = LIFECYCLE_HEADER in table.columns or int(year) <= LAST_LIFECYCLE_YEAR
    share = pl.col("cfe_fraction")
    says_percent = share.str.contains("%", literal=True) | pl.lit(PERCENT_HEADER in table.columns)
    return rename(table, file, SPELLINGS).select(
        "region",
        "location",
        year=pl.lit(year),
        cfe_fraction=pl.when(says_percent)
        .then(share.map_elements(percent_as_fraction, return_dtype=pl.String))
        .otherwise(share),
        carbon_intensity_g_per_kwh="carbon_intensity_g_per_kwh",
        intensity_basis=pl.lit("lifecycle" if is_lifecycle else "direct"),
    )
