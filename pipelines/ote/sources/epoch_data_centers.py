"""Epoch AI's frontier data centers and their growth, as raw.epoch_data_centers.

Belongs here: putting the two files side by side, coordinates as decimal degrees. Does not belong here: which
model was trained where (sql/core).
"""

import re
from collections.abc import Mapping

import polars as pl

from ote.ingestion.tabular import UpstreamChangedError, read_csv, rename

CENTERS = "epoch_data_centers/data_centers.csv"
TIMELINES = "epoch_data_centers/data_center_timelines.csv"
# During 2026 Handle became Name, and title and coordinates left the header: as other users of it read it.
NEW_HEADER = "Name"
CENTER_SPELLINGS = {
    "site": ("Handle", NEW_HEADER),
    "site_title": ("Title",),
    "owner": ("Owner",),
    "users": ("Users",),
    "address": ("Address",),
    "latitude": ("Latitude",),
    "longitude": ("Longitude",),
}
NEW_LACKS = frozenset({"site_title", "latitude", "longitude"})
TIMELINE_SPELLINGS = {
    "site": ("Data center",),
    "status_date": ("Date",),
    # Of the facility, overhead included; a later column, IT power (MW), is another quantity.
    "power_mw": ("Power (MW)",),
    "h100_equivalents": ("H100 equivalents",),
    "construction_status": ("Construction status",),
}
ANGLE = re.compile(r"(?P<degrees>\d+)°\s*(?P<minutes>\d+)'\s*(?P<seconds>\d+(\.\d+)?)\"\s*(?P<side>[NSEW])")


def parse(files: Mapping[str, bytes]) -> pl.DataFrame:
    """One row per data center and date of its timeline, as text, by data center and date.

    A data center that only the timeline names has null for all that is not in it.

    Raises:
        UpstreamChangedError: a file is not there or lacks a column that it is known for, or no data center of
            the timeline is in the list.
    """
    for file in (CENTERS, TIMELINES):
        if file not in files:
            raise UpstreamChangedError(f"{file}: not there")
    table = read_csv(files[CENTERS], CENTERS)
    lacks = NEW_LACKS if NEW_HEADER in table.columns else frozenset[str]()
    centers = _stripped(rename(table, CENTERS, CENTER_SPELLINGS, lacks)).with_columns(
        pl.col("latitude", "longitude").map_elements(decimal_degrees, return_dtype=pl.String)
    )
    timelines = _stripped(rename(read_csv(files[TIMELINES], TIMELINES), TIMELINES, TIMELINE_SPELLINGS))
    if timelines.height and timelines.join(centers, on="site", how="semi").is_empty():
        raise UpstreamChangedError(
            f"{TIMELINES}: no data center of it is in {CENTERS}, e.g. {timelines['site'][0]}"
        )
    return (
        timelines.join(centers, on="site", how="left")
        .select(*CENTER_SPELLINGS, *(name for name in TIMELINE_SPELLINGS if name != "site"))
        # Sentences of the source, not facts: they are not republished.
        .with_columns(construction_status=pl.lit(None, dtype=pl.String))
        .sort("site", "status_date")
    )


def decimal_degrees(cell: str) -> str:
    """Degrees, minutes, seconds (33°46'27"N) as decimal degrees, south and west negative; else as it is."""
    angle = ANGLE.fullmatch(cell)
    if angle is None:
        return cell
    degrees = int(angle["degrees"]) + int(angle["minutes"]) / 60 + float(angle["seconds"]) / 3600
    return str(-degrees if angle["side"] in "SW" else degrees)


def _stripped(table: pl.DataFrame) -> pl.DataFrame:
    return table.select(pl.all().str.strip_chars())
