"""The Green Software Foundation's cloud regions, as raw.gsf_cloud_regions.

Belongs here: one file of text cells under our names. Does not belong here: which of its cells are misplaced
(sql/core/google_cfe_reconciled.sql).
"""

from collections.abc import Mapping

import polars as pl

from pipelines.ingestion.tabular import UpstreamChangedError, read_csv, rename

FILE = "gsf_cloud_regions/Cloud_Region_Metadata.csv"
SPELLINGS = {
    "year": ("year",),
    "provider": ("cloud-provider",),
    "region": ("cloud-region",),
    "location": ("location",),
    "grid_zone": ("em-zone-id",),
    "pue": ("power-usage-effectiveness",),
    "wue_l_per_kwh": ("water-usage-effectiveness",),
    "provider_cfe_hourly_fraction": ("provider-cfe-hourly",),
    "provider_cfe_annual_fraction": ("provider-cfe-annual",),
    "provider_consumption_g_per_kwh": ("provider-carbon-intensity-average-consumption-hourly",),
    "grid_consumption_g_per_kwh": ("grid-carbon-intensity-average-consumption-annual",),
    "grid_production_g_per_kwh": ("grid-carbon-intensity-average-production-annual",),
    "grid_marginal_g_per_kwh": ("grid-carbon-intensity-marginal-consumption-annual",),
    "market_g_per_kwh": ("provider-carbon-intensity-market-annual",),
    "geolocation": ("geolocation",),
}
PAIR = r"^\s*([+-]?\d+(?:\.\d+)?)\s*,\s*([+-]?\d+(?:\.\d+)?)\s*$"


def parse(files: Mapping[str, bytes]) -> pl.DataFrame:
    """One row per year, provider, region and location, as text; "lat,lon" also as two columns in degrees.

    A pair that is not two numbers gives null for both; geolocation keeps what upstream wrote.

    Raises:
        UpstreamChangedError: the file is not there, or lacks a column that it is known for.
    """
    if FILE not in files:
        raise UpstreamChangedError(f"{FILE}: not there")
    table = rename(read_csv(files[FILE], FILE), FILE, SPELLINGS)
    place = pl.col("geolocation")
    return table.with_columns(pl.all().exclude("geolocation").str.strip_chars()).with_columns(
        latitude=place.str.extract(PAIR, 1), longitude=place.str.extract(PAIR, 2)
    )
