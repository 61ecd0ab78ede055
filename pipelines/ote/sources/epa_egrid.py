"""US EPA eGRID subregions from the Power Profiler's map, as raw.epa_egrid.

Belongs here: one GeoJSON file per eGRID year, its properties without the shapes. Does not belong here: lb to
g (sql/core), or which location lies in which subregion.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import polars as pl

from ote.ingestion.tabular import UpstreamChangedError
from ote.sources.google_region_carbon import percent_as_fraction

FOLDER = "epa_egrid"
NAME = re.compile(r"epa_egrid/subregion_egrid(\d{4})\.json")
UNIT = "lb/MWh"
FIRST_CO2E_YEAR = 2021
NATIONAL = "National"
MIX = {
    "coal_fraction": "coal",
    "oil_fraction": "oil",
    "gas_fraction": "gas",
    "nuclear_fraction": "nuclear",
    "hydro_fraction": "hydro",
    "biomass_fraction": "biomass",
    "wind_fraction": "wind",
    "solar_fraction": "solar",
    "geothermal_fraction": "geothermal",
    "other_fossil_fraction": "otherFossilFuel",
    "other_unknown_fraction": "otherUnknownFuel",
}
SCHEMA = dict.fromkeys(
    ["region", "location", "year", "co2_lb_per_mwh", "co2e_lb_per_mwh", "grid_loss_fraction", *MIX], pl.String
)


def parse(files: Mapping[str, bytes]) -> pl.DataFrame:
    """One row per subregion and year, and one for the US, as text; percent of the mix as fractions.

    Raises:
        UpstreamChangedError: no file is there, a file is no GeoJSON, is of another year than its name, holds
            no subregion or not the US, lacks a property, or states a rate in another unit than lb/MWh.
    """
    if not files:
        raise UpstreamChangedError(f"{FOLDER}: no file of any year")
    rows = [row for file in sorted(files) for row in _rows(files[file], file)]
    return pl.DataFrame(rows, schema=SCHEMA)


def _rows(content: bytes, file: str) -> list[dict[str, str | None]]:
    name = NAME.fullmatch(file)
    if name is None:
        raise UpstreamChangedError(f"{file}: expected {FOLDER}/subregion_egridYYYY.json")
    year = int(name[1])
    rows = [
        _row(place, year, f"{file}, {place.get('name')}")
        for place in _properties(content, file)
        # The states are in the file only to be drawn: they have a shape and a name, and no emissions.
        if "GEO_ID" not in place
    ]
    regions = [row["region"] for row in rows]
    if "US" not in regions or len(regions) < 2:
        raise UpstreamChangedError(
            f"{file}: {len(regions)} locations with emissions, expected subregions and the US"
        )
    return rows


def _properties(content: bytes, file: str) -> list[dict[str, Any]]:
    try:
        # Numbers stay the text that upstream wrote.
        document = json.loads(content.decode("utf-8-sig"), parse_float=str, parse_int=str)
        return [dict(feature["properties"]) for feature in document["features"]]
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise UpstreamChangedError(f"{file}: not a GeoJSON of features ({error!r})") from None


def _row(place: Mapping[str, Any], year: int, where: str) -> dict[str, str | None]:
    data_year = place.get("dataYear", str(year))  # stated from 2021 on
    if data_year != str(year):
        raise UpstreamChangedError(f"{where}: data of {data_year}, expected {year}")
    mix = _part(place, "fuelMix", where)
    if missing := [fuel for fuel in MIX.values() if fuel not in mix]:
        raise UpstreamChangedError(f"{where}: no {', '.join(missing)} in fuelMix; it holds {', '.join(mix)}")
    rates = _part(place, "emissionFactor", where)
    region = _text(place, "name", where)
    return {
        "region": "US" if region == NATIONAL else region,
        "location": _text(place, "fullName", where),
        "year": str(year),
        "co2_lb_per_mwh": _rate(rates, "co2EmissionRate", where),
        "co2e_lb_per_mwh": _rate(rates, "co2eEmissionRate", where) if year >= FIRST_CO2E_YEAR else None,
        "grid_loss_fraction": _text(_part(place, "gridLoss", where), "value", where),
        **{column: percent_as_fraction(str(mix[fuel])) for column, fuel in MIX.items()},
    }


def _rate(rates: Mapping[str, Any], name: str, where: str) -> str:
    rate = _part(rates, name, where)
    if rate.get("units") != UNIT:
        raise UpstreamChangedError(f"{where}: {name} in {rate.get('units')}, expected {UNIT}")
    return _text(rate, "value", where)


def _part(place: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    part = place.get(name)
    if not isinstance(part, dict):
        raise UpstreamChangedError(f"{where}: no {name}; the properties are {', '.join(place)}")
    return part


def _text(place: Mapping[str, Any], name: str, where: str) -> str:
    if place.get(name) is None:
        raise UpstreamChangedError(f"{where}: no {name}; the properties are {', '.join(place)}")
    return str(place[name])
