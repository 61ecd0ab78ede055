"""Electricity of countries by Our World in Data (Ember, Energy Institute), as raw.owid_electricity.

Belongs here: ten charts, one file each, put side by side. Does not belong here: which of the entities is a
country, or which intensity a run gets (sql/core).
"""

from collections.abc import Mapping
from functools import reduce

import polars as pl

from ote.ingestion.tabular import UpstreamChangedError, read_csv, rename
from ote.sources.google_region_carbon import percent_as_fraction

FOLDER = "owid_electricity"
KEYS = {"entity": ("Entity", "entity"), "iso3": ("Code", "code"), "year": ("Year", "year")}
# Chart to our column and the headers that it was downloaded with; those with " - " are of before 2026.
CHARTS = {
    "carbon-intensity-electricity": (
        "carbon_intensity_g_per_kwh",
        (
            "Carbon intensity of electricity per kWh",
            "Carbon intensity of electricity - gCO2/kWh",
            "Lifecycle carbon intensity of electricity - gCO2/kWh",
            "co2_intensity__gco2_kwh",
        ),
    ),
    "electricity-generation": ("generation_twh", ("Total electricity", "Electricity generation - TWh")),
    "electricity-coal": ("coal_twh", ("Coal", "Electricity from coal - TWh")),
    "electricity-gas": ("gas_twh", ("Gas", "Electricity from gas - TWh")),
    "electricity-oil": ("oil_twh", ("Oil", "Electricity from oil - TWh")),
    "electricity-hydro": ("hydro_twh", ("Hydropower", "Electricity from hydro - TWh")),
    "electricity-nuclear": ("nuclear_twh", ("Nuclear", "Electricity from nuclear - TWh")),
    "electricity-solar": ("solar_twh", ("Solar", "Electricity from solar - TWh")),
    "electricity-wind": ("wind_twh", ("Wind", "Electricity from wind - TWh")),
    "share-electricity-renewables": ("renewables_fraction", ("Renewables", "Renewables - % electricity")),
}


def parse(files: Mapping[str, bytes]) -> pl.DataFrame:
    """One row per entity and year that any chart has, as text, by entity and year; the share as a fraction.

    Raises:
        UpstreamChangedError: a chart is not there (its column would be null throughout, as if the world had
            none of it), or lacks its column.
    """
    tables = [_chart(files, chart) for chart in CHARTS]
    joined = reduce(
        lambda left, right: left.join(right, on=[*KEYS], how="full", coalesce=True, nulls_equal=True), tables
    )
    share = pl.col("renewables_fraction").map_elements(percent_as_fraction, return_dtype=pl.String)
    return joined.with_columns(share).sort("entity", "year", "iso3")


def _chart(files: Mapping[str, bytes], chart: str) -> pl.DataFrame:
    file = f"{FOLDER}/{chart}.csv"
    if file not in files:
        raise UpstreamChangedError(f"{file}: not there, expected all of {', '.join(CHARTS)}")
    column, spellings = CHARTS[chart]
    return rename(read_csv(files[file], file), file, KEYS | {column: spellings})
