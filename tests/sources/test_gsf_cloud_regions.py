"""The Green Software Foundation's regions: cells as they are, coordinates split, broken ones kept as text."""

import csv
import io
from collections.abc import Mapping

import polars as pl
import pytest

from pipelines.ingestion.tabular import UpstreamChangedError
from pipelines.sources.gsf_cloud_regions import FILE, SPELLINGS, parse
from tests.conftest import UPSTREAM, needs_upstream

FOLDER = UPSTREAM / "gsf_cloud_regions"
COLUMNS = [*SPELLINGS, "latitude", "longitude"]
HEADER = [spellings[0] for spellings in SPELLINGS.values()]
CAPE_TOWN = {
    "year": "2024",
    "cloud-provider": "Amazon Web Services",
    "cloud-region": "af-south-1 ",
    "em-zone-id": "ZA",
    "location": "Africa (Cape Town)",
    "geolocation": "-33.9253,18.4239 ",
    "power-usage-effectiveness": "1.24",
    "grid-carbon-intensity-average-consumption-annual": "702.03",
}


def table(*rows: Mapping[str, str], header: list[str] = HEADER) -> dict[str, bytes]:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, header, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return {FILE: text.getvalue().encode()}


def test_cells_are_taken_under_our_names() -> None:
    row = parse(table(CAPE_TOWN)).row(0, named=True)
    assert list(row) == COLUMNS
    assert {name: cell for name, cell in row.items() if cell is not None} == {
        "year": "2024",
        "provider": "Amazon Web Services",
        "region": "af-south-1",
        "location": "Africa (Cape Town)",
        "grid_zone": "ZA",
        "pue": "1.24",
        "grid_consumption_g_per_kwh": "702.03",
        "geolocation": "-33.9253,18.4239 ",
        "latitude": "-33.9253",
        "longitude": "18.4239",
    }


@pytest.mark.parametrize(
    ("pair", "place"),
    [
        ("-22.939, -47.045", ("-22.939", "-47.045")),
        ("35,139", ("35", "139")),
        ("-23.5558.-46.6396", (None, None)),
        ("35.6,", (None, None)),
        ("somewhere", (None, None)),
        ("", (None, None)),
    ],
)
def test_a_pair_is_split_and_a_broken_one_is_null(pair: str, place: tuple[str | None, str | None]) -> None:
    frame = parse(table(CAPE_TOWN | {"geolocation": pair}))
    assert frame.select("latitude", "longitude").row(0) == place
    assert frame["geolocation"].to_list() == [pair or None]


def test_order_of_columns_and_new_columns_do_not_matter() -> None:
    other = table(CAPE_TOWN | {"Brand new": "x"}, header=["Brand new", *reversed(HEADER)])
    assert parse(other).equals(parse(table(CAPE_TOWN)))


@pytest.mark.parametrize("name", HEADER)
def test_a_renamed_column_is_named_with_its_file(name: str) -> None:
    header = [f"{cell} v2" if cell == name else cell for cell in HEADER]
    with pytest.raises(UpstreamChangedError) as error:
        parse(table(header=header))
    assert FILE in str(error.value)
    assert name in str(error.value)


def test_a_missing_file_is_refused() -> None:
    with pytest.raises(UpstreamChangedError, match=r"Cloud_Region_Metadata.csv: not there"):
        parse({})


@needs_upstream
def test_the_file_of_march_2026() -> None:
    frame = parse({FILE: (FOLDER / "Cloud_Region_Metadata.csv").read_bytes()})
    assert frame.columns == COLUMNS
    assert set(frame.dtypes) == {pl.String}
    assert frame.height == 373
    twice = frame.filter(frame.select("year", "provider", "region").is_duplicated())
    assert twice.select("year", "region", "location").sort("year", "location").rows() == [
        ("2022", "northeurope", "Finland"),
        ("2022", "northeurope", "Ireland"),
        ("2023", "northeurope", "Finland"),
        ("2023", "northeurope", "Ireland"),
    ]
    assert not frame.select("year", "provider", "region", "location").is_duplicated().any()
    filled = {name: frame.height - frame[name].null_count() for name in COLUMNS[5:]}
    assert (filled["pue"], filled["wue_l_per_kwh"], filled["geolocation"]) == (137, 113, 254)
    assert (filled["latitude"], filled["longitude"]) == (254, 254)
    assert (filled["provider_cfe_hourly_fraction"], filled["provider_cfe_annual_fraction"]) == (199, 96)
    tokyo = frame.filter(year="2024", region="ap-northeast-1").row(0, named=True)
    assert (tokyo["pue"], tokyo["latitude"], tokyo["grid_production_g_per_kwh"]) == (
        "1.27",
        "35.6897",
        "545.67",
    )
    vegas = frame.filter(year="2019", region="us-west4").row(0, named=True)
    assert (vegas["provider_cfe_hourly_fraction"], vegas["provider_consumption_g_per_kwh"]) == (
        "0.13",
        "491.0",
    )
