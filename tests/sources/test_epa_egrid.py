"""EPA's subregions: properties without shapes, the year and the unit checked in the file itself."""

import json
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from ote.ingestion.tabular import UpstreamChangedError
from ote.sources.epa_egrid import MIX, SCHEMA, parse
from tests.conftest import UPSTREAM, needs_upstream

FOLDER = UPSTREAM / "epa_egrid"
FUELS = dict.fromkeys(MIX.values(), 0)


def subregion(name: str = "CAMX", year: int = 2022) -> dict[str, Any]:
    return {
        "name": name,
        "fullName": "WECC California",
        "dataYear": year,
        "gridLoss": {"display": "5.1%", "value": 0.051},
        "emissionFactor": {
            "co2EmissionRate": {"value": 497.438, "display": "497.4", "units": "lb/MWh"},
            "co2eEmissionRate": {"value": 499.5, "display": "499.5", "units": "lb/MWh"},
        },
        "fuelMix": FUELS | {"gas": 42.7, "solar": 19},
    }


STATE = {"GEO_ID": "0400000US23", "STATE": "23", "NAME": "Maine", "LSAD": "", "CENSUSAREA": 30842.923}


def file(*places: dict[str, Any], year: int = 2022) -> dict[str, bytes]:
    features = [{"type": "Feature", "geometry": None, "properties": place} for place in places]
    document = {"type": "FeatureCollection", "features": features}
    return {f"epa_egrid/subregion_egrid{year}.json": json.dumps(document).encode()}


def test_subregions_are_rows_and_states_are_not() -> None:
    frame = parse(file(subregion(), STATE, subregion("National")))
    assert frame.schema == pl.Schema(SCHEMA)
    row = frame.row(0, named=True)
    zeros = {column for column in MIX if row[column] == "0.00"}
    assert {name: cell for name, cell in row.items() if name not in zeros} == {
        "region": "CAMX",
        "location": "WECC California",
        "year": "2022",
        "co2_lb_per_mwh": "497.438",
        "co2e_lb_per_mwh": "499.5",
        "grid_loss_fraction": "0.051",
        "gas_fraction": "0.427",
        "solar_fraction": "0.19",
    }
    assert frame["region"].to_list() == ["CAMX", "US"]


def test_before_2021_there_is_no_co2e_and_no_year_in_the_file() -> None:
    places = [subregion(), subregion("National")]
    for place in places:
        del place["dataYear"]
        del place["emissionFactor"]["co2eEmissionRate"]
    frame = parse(file(*places, year=2019))
    assert frame["year"].to_list() == ["2019", "2019"]
    assert frame["co2e_lb_per_mwh"].null_count() == 2


def test_order_of_properties_and_new_ones_do_not_matter() -> None:
    places = [subregion(), subregion("National")]
    other = [dict(reversed([*place.items(), ("new", 1)])) for place in places]
    assert parse(file(*other)).equals(parse(file(*places)))


def _drop(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(place: dict[str, Any]) -> None:
        for name in path[:-1]:
            place = place[name]
        place[f"{path[-1]}2"] = place.pop(path[-1])

    return change


@pytest.mark.parametrize(
    "path",
    [
        ("name",),
        ("fullName",),
        ("gridLoss",),
        ("gridLoss", "value"),
        ("fuelMix",),
        ("fuelMix", "otherFossilFuel"),
        ("emissionFactor",),
        ("emissionFactor", "co2EmissionRate"),
        ("emissionFactor", "co2eEmissionRate"),
        ("emissionFactor", "co2EmissionRate", "value"),
    ],
    ids=".".join,
)
def test_a_renamed_property_is_named_with_its_file(path: tuple[str, ...]) -> None:
    place = subregion()
    _drop(*path)(place)
    with pytest.raises(UpstreamChangedError) as error:
        parse(file(place, subregion("National")))
    assert "epa_egrid/subregion_egrid2022.json" in str(error.value)
    assert path[-1] in str(error.value)


@pytest.mark.parametrize("units", ["kg/MWh", "lb/kWh", None])
def test_another_unit_is_refused(units: str | None) -> None:
    place = subregion()
    place["emissionFactor"]["co2EmissionRate"]["units"] = units
    with pytest.raises(UpstreamChangedError, match=rf"CAMX: co2EmissionRate in {units}, expected lb/MWh"):
        parse(file(place, subregion("National")))


def test_data_of_another_year_than_the_name_says_is_refused() -> None:
    with pytest.raises(UpstreamChangedError, match=r"egrid2022.json, CAMX: data of 2023, expected 2022"):
        parse(file(subregion(year=2023), subregion("National", 2023)))


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[]", b'{"features": 3}', b'{"features": [{}]}', b"\xff{}"]
)
def test_what_is_no_map_is_refused(content: bytes) -> None:
    with pytest.raises(UpstreamChangedError, match=r"egrid2022.json: not a GeoJSON"):
        parse({"epa_egrid/subregion_egrid2022.json": content})


def test_a_map_without_subregions_or_without_the_us_is_refused() -> None:
    for places in ([STATE], [subregion()], [subregion("National")]):
        with pytest.raises(UpstreamChangedError, match="expected subregions and the US"):
            parse(file(*places))


@pytest.mark.parametrize("files", [{}, {"epa_egrid/subregion.json": b"{}"}])
def test_files_without_a_year_are_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(UpstreamChangedError, match=r"year|YYYY"):
        parse(files)


REAL = {2016: 27, 2018: 27, 2019: 28, 2020: 28, 2021: 28, 2022: 28, 2023: 28}


@needs_upstream
def test_the_seven_files() -> None:
    frame = parse({f"epa_egrid/{path.name}": path.read_bytes() for path in FOLDER.glob("*.json")})
    assert frame.group_by("year").len().sort("year").rows() == [(str(year), n) for year, n in REAL.items()]
    assert not frame.select("region", "year").is_duplicated().any()
    us = dict(frame.filter(region="US").select("year", "co2_lb_per_mwh").iter_rows())
    assert (us["2016"], us["2020"], us["2023"]) == ("998.4", "818.289", "767.209")
    assert frame.filter(pl.col("co2e_lb_per_mwh").is_null())["year"].unique().sort().to_list() == [
        "2016",
        "2018",
        "2019",
        "2020",
    ]
    alaska = frame.filter(region="AKGD", year="2021").row(0, named=True)
    assert (alaska["co2e_lb_per_mwh"], alaska["hydro_fraction"]) == ("1073.669", "0.115")
    assert alaska["grid_loss_fraction"] == "0.044"
    mix = frame.select(pl.sum_horizontal(pl.col(*MIX).cast(pl.Float64))).to_series()
    assert mix.is_between(0.99, 1.01).all()


@needs_upstream
@pytest.mark.parametrize("year", REAL)
def test_every_year_has_the_same_columns(year: int) -> None:
    name = f"subregion_egrid{year}.json"
    frame = parse({f"epa_egrid/{name}": (FOLDER / name).read_bytes()})
    assert frame.schema == pl.Schema(SCHEMA)
    assert frame.height == REAL[year]
