"""Hours of CarbonCast: generation by fuel and mean intensity of 13 zones, direct and lifecycle.

Belongs here: its columns, its factors, and which of its two files of a zone may be believed on what. Does not
belong here: what hourly sources share (hourly.py).
"""

from collections.abc import Mapping
from functools import lru_cache

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
from ote.ingestion.tabular import UpstreamChangedError, read_csv

ZONES = (
    "AUS_QLD",
    "BPAT",
    "CISO",
    "DE",
    "ERCO",
    "ES",
    "FPL",
    "ISNE",
    "NL",
    "NYISO",
    "PJM",
    "PL",
    "SE",
)
YEARS = (2020, 2021)

# g/kWh by fuel. Least squares of the intensity on the shares, file by file, gives these to within 0.5, with
# a residual of rounding (0.01), in 24 of 26 files. The lifecycle ones are near the medians of IPCC 2014 (AR5
# WG3, Annex III); of the direct ones coal at 760 and gas at 370 lie below what US plants emit.
# The two other files: SE_lifecycle counts unknown as 292.9 instead of 700, and so lies below SE_direct;
# ERCO_direct has in its last 72 hours the fuels in the order of ERCO_lifecycle, below a header in another.
DIRECT_FACTORS = {
    "coal": 760.0,
    "oil": 406.0,
    "nat_gas": 370.0,
    "biomass": 0.0,
    "geothermal": 0.0,
    "hydro": 0.0,
    "nuclear": 0.0,
    "solar": 0.0,
    "wind": 0.0,
    "unknown": 575.0,
    "other": 575.0,
}
LIFECYCLE_FACTORS = {
    "coal": 820.0,
    "oil": 650.0,
    "nat_gas": 490.0,
    "biomass": 230.0,
    "geothermal": 38.0,
    "hydro": 24.0,
    "nuclear": 12.0,
    "solar": 45.0,
    "wind": 11.0,
    "unknown": 700.0,
    "other": 700.0,
}

# Biomass emits where it burns, but counts as low-carbon in the shares of Ember and eGRID, which these stand
# beside; biomass_fraction lets a reader take it off. US zones have it within "other": not carbon-free here.
CARBON_FREE = ("nuclear", "hydro", "wind", "solar", "geothermal", "biomass")
UNKNOWN = ("unknown", "other")
INTENSITY = "carbon_intensity"
TIME = "UTC time"
MIX = (
    "cfe_fraction",
    "biomass_fraction",
    "unknown_fraction",
    "direct of mix",
    "lifecycle of mix",
    "generation_weight",
)


def file_names(zone: str) -> tuple[str, str]:
    """The direct and the lifecycle file of a zone."""
    return (
        f"hourly/carboncast/{zone}_direct_emissions.csv",
        f"hourly/carboncast/{zone}_lifecycle_emissions.csv",
    )


def parse_hours(content: bytes, file: str, zone: str) -> pl.DataFrame:
    """The hours of one file, all its years, in the columns of HOURS; the other basis is null.

    Raises:
        UpstreamChangedError: a column is missing or of an unknown fuel, or a cell is not what it should be.
    """
    stated = LIFECYCLE if _is_lifecycle(file) else DIRECT
    return _hours(_read(content, file).rename({INTENSITY: stated}), zone)


def parse_zone(files: Mapping[str, bytes], zone: str, year: int) -> pl.DataFrame:
    """The hours of a zone and year from its two files.

    Each file repeats the mix. It is taken from the lifecycle file where it explains that file's intensity,
    since no two lifecycle factors are equal; else from the direct file where it explains that one's.

    Raises:
        FileNotFoundError: one of the two files is absent.
        UpstreamChangedError: a file is not what this module knows, or its hours are repeated or out of order.
    """
    names = file_names(zone)
    if absent := [name for name in names if name not in files]:
        raise FileNotFoundError(f"{' and '.join(absent)} absent")
    direct, lifecycle = (of_year(_read(files[name], name), year, name) for name in names)
    both = lifecycle.join(direct, on="hour_utc", how="full", coalesce=True, suffix=" in direct").sort(
        "hour_utc"
    )
    own = gap(pl.col(INTENSITY), pl.col("lifecycle of mix")) == 0
    other = gap(pl.col(f"{INTENSITY} in direct"), pl.col("direct of mix in direct")) == 0
    from_direct = other.fill_null(False) & ~own.fill_null(False)
    hours = both.select(
        "hour_utc",
        pl.col(f"{INTENSITY} in direct").alias(DIRECT),
        pl.col(INTENSITY).alias(LIFECYCLE),
        *(pl.when(from_direct).then(f"{name} in direct").otherwise(name).alias(name) for name in MIX),
    )
    return _hours(hours, zone)


def parse(files: Mapping[str, bytes]) -> pl.DataFrame:
    """What the hours of each zone and year come to, so that a change upstream can be judged by it."""
    rows = [
        summary(parse_zone(files, zone, year), "carboncast_hourly", year)
        for zone in ZONES
        if set(file_names(zone)) <= set(files)
        for year in YEARS
    ]
    if not rows:
        raise UpstreamChangedError("carboncast: both files of no zone are there")
    return pl.concat(rows)


def _is_lifecycle(file: str) -> bool:
    return file.endswith("_lifecycle_emissions.csv")


@lru_cache(maxsize=2)  # two years of a zone are in the same two files
def _read(content: bytes, file: str) -> pl.DataFrame:
    """Hour, stated intensity and mix of every row of a file."""
    frame = read_csv(content, file)
    if missing := [name for name in (TIME, INTENSITY) if name not in frame.columns]:
        raise UpstreamChangedError(f"{file}: no column {' or '.join(missing)}")
    fuels = [name for name in frame.columns if name not in ("column 1", TIME, INTENSITY)]
    if strangers := [fuel for fuel in fuels if fuel not in DIRECT_FACTORS]:
        raise UpstreamChangedError(f"{file}: no factor is known for {', '.join(strangers)}")
    return numbers(frame, [INTENSITY, *fuels], file).select(
        utc_hours(frame[TIME], file).alias("hour_utc"),
        INTENSITY,
        share([fuel for fuel in fuels if fuel in CARBON_FREE], fuels).alias("cfe_fraction"),
        (share(["biomass"], fuels) if "biomass" in fuels else pl.lit(None)).alias("biomass_fraction"),
        share([fuel for fuel in fuels if fuel in UNKNOWN], fuels).alias("unknown_fraction"),
        intensity(DIRECT_FACTORS, fuels).alias("direct of mix"),
        intensity(LIFECYCLE_FACTORS, fuels).alias("lifecycle of mix"),
        total(fuels).alias("generation_weight"),
    )


def _hours(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """The columns of HOURS. Where the mix explains neither intensity it may be mislabelled: no shares."""
    for basis in (DIRECT, LIFECYCLE):
        if basis not in frame.columns:
            frame = frame.with_columns(pl.lit(None, pl.Float64).alias(basis))
    direct_gap = gap(pl.col(DIRECT), pl.col("direct of mix"))
    lifecycle_gap = gap(pl.col(LIFECYCLE), pl.col("lifecycle of mix"))
    known = pl.when((direct_gap == 0) | (lifecycle_gap == 0))
    return frame.select(
        "hour_utc",
        pl.lit(zone).alias("zone"),
        DIRECT,
        LIFECYCLE,
        *(known.then(name).alias(name) for name in ("cfe_fraction", "biomass_fraction", "unknown_fraction")),
        direct_gap.alias("direct_gap_g_per_kwh"),
        lifecycle_gap.alias("lifecycle_gap_g_per_kwh"),
        "generation_weight",
    ).cast(HOURS)
