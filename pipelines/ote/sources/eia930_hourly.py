"""Hours of EIA-930 as prepared for the simulator dc-rl: generation by fuel and intensity of 8 zones, 2022.

Belongs here: its columns, its factors, which file is which zone. Does not belong here: what hourly sources
share (hourly.py).
"""

from collections.abc import Mapping

import polars as pl

from ote.ingestion.hourly import (
    DIRECT,
    HOURS,
    LIFECYCLE,
    gap,
    intensity,
    numbers,
    of_year,
    share,
    summary,
    total,
    utc_hours,
)
from ote.ingestion.tabular import UpstreamChangedError, read_csv, rename

ZONES = ("AZPS", "BPAT", "CISO", "ERCO", "MISO", "NYIS", "PJM", "SOCO")
YEARS = (2022,)

# g/kWh by fuel of EIA. Least squares of avg_CI on the shares gives these exactly (no residual) in every file.
# They are the lifecycle medians of IPCC 2014 (AR5 WG3, Annex III; rooftop solar 41), with other as biomass at
# 230 and oil, which IPCC does not list, at 650: so avg_CI is a lifecycle intensity.
FACTORS = {
    "COL": 820.0,
    "OIL": 650.0,
    "NG": 490.0,
    "OTH": 230.0,
    "SUN": 41.0,
    "WAT": 24.0,
    "NUC": 12.0,
    "WND": 11.0,
}

# EIA-930 has biomass and geothermal within OTH: of unknown fuel here, and so not counted as carbon-free.
CARBON_FREE = ("NUC", "WAT", "WND", "SUN")
UNKNOWN = ("OTH",)


def file_name(zone: str) -> str:
    """The file of a zone."""
    return f"hourly/eia930/{zone}_NG_&_avgCI.csv"


def parse_hours(content: bytes, file: str, zone: str) -> pl.DataFrame:
    """The hours of one file in the columns of HOURS; a blank cell is null, and so is what follows from it.

    Direct intensity and share of biomass are null: the source does not give them. Shares are null where the
    mix does not explain the intensity.

    Raises:
        UpstreamChangedError: a column is missing, or a cell is not what it should be.
    """
    # A cell of the header that is empty (an older file of BPAT) stands for the time.
    named = rename(
        read_csv(content, file),
        file,
        {
            "timestamp": ("timestamp", "column 1"),
            "avg_CI": ("avg_CI",),
            **{fuel: (fuel,) for fuel in FACTORS},
        },
    )
    frame = numbers(named, ["avg_CI", *FACTORS], file)
    unexplained = gap(pl.col("avg_CI"), intensity(FACTORS, FACTORS))
    known = pl.when(unexplained == 0)
    return frame.select(
        utc_hours(frame["timestamp"], file).alias("hour_utc"),
        pl.lit(zone).alias("zone"),
        pl.lit(None).alias(DIRECT),
        pl.col("avg_CI").alias(LIFECYCLE),
        known.then(share(CARBON_FREE, FACTORS)).alias("cfe_fraction"),
        pl.lit(None).alias("biomass_fraction"),
        known.then(share(UNKNOWN, FACTORS)).alias("unknown_fraction"),
        pl.lit(None).alias("direct_gap_g_per_kwh"),
        unexplained.alias("lifecycle_gap_g_per_kwh"),
        total(FACTORS).alias("generation_weight"),
    ).cast(HOURS)


def parse_zone(files: Mapping[str, bytes], zone: str, year: int) -> pl.DataFrame:
    """The hours of a zone and year.

    Raises:
        FileNotFoundError: the zone's file is absent.
        UpstreamChangedError: it is not what this module knows, or its hours are repeated or out of order.
    """
    name = file_name(zone)
    if name not in files:
        raise FileNotFoundError(f"{name} absent")
    return of_year(parse_hours(files[name], name, zone), year, name)


def parse(files: Mapping[str, bytes]) -> pl.DataFrame:
    """What the hours of each zone and year come to, so that a change upstream can be judged by it."""
    rows = [
        summary(parse_zone(files, zone, year), "eia930_hourly", year)
        for zone in ZONES
        if file_name(zone) in files
        for year in YEARS
    ]
    if not rows:
        raise UpstreamChangedError("eia930: the file of no zone is there")
    return pl.concat(rows)
