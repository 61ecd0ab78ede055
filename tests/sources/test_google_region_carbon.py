"""Google's regions: seven headers, percent or fraction, lifecycle until 2020; all mean the same."""

from pathlib import Path

import polars as pl
import pytest

from ote.ingestion.tabular import UpstreamChangedError
from ote.sources.google_region_carbon import parse, percent_as_fraction
from tests.conftest import UPSTREAM, needs_upstream

FOLDER = UPSTREAM / "google_region_carbon"
COLUMNS = ["region", "location", "year", "cfe_fraction", "carbon_intensity_g_per_kwh", "intensity_basis"]
HEADER = "Google Cloud Region,Location,Google CFE,Grid carbon intensity (gCO2eq / kWh)"
VINTAGES = sorted(FOLDER.glob("vintages/*/*.csv"))


def one(year: int, text: str) -> pl.DataFrame:
    return parse({f"google_region_carbon/{year}.csv": text.encode()})


def test_a_row_is_taken_as_it_is() -> None:
    frame = one(2024, f"{HEADER}\r\nafrica-south1,Johannesburg,0.15,656.85\r\n")
    assert frame.columns == COLUMNS
    assert frame.rows() == [("africa-south1", "Johannesburg", "2024", "0.15", "656.85", "direct")]


@pytest.mark.parametrize(
    ("header", "cell", "share"),
    [
        ("Google CFE", "0.19", "0.19"),
        ("Google CFE", "19%", "0.19"),
        ("Google CFE%", "19%", "0.19"),
        ("Google CFE%", "19", "0.19"),
        ("google_cfe", "7%", "0.07"),
        # A percent that nothing marks is not guessed at: the range of the column refuses it.
        ("Google CFE", "19", "19"),
        ("Google CFE", "", None),
        ("Google CFE%", "n/a%", "n/a%"),
    ],
)
def test_a_share_is_divided_only_where_it_says_percent(header: str, cell: str, share: str | None) -> None:
    text = HEADER.replace("Google CFE", header) + f"\na,A,{cell},541\n"
    assert one(2019, text)["cfe_fraction"].to_list() == [share]


@pytest.mark.parametrize(
    ("cell", "share"), [("100%", "1.00"), ("0", "0.00"), ("57.41 %", "0.5741"), ("3%", "0.03")]
)
def test_percent_becomes_the_exact_decimal(cell: str, share: str) -> None:
    assert percent_as_fraction(cell) == share


def test_the_operators_share_is_taken_not_the_grids() -> None:
    text = "region,region_name,grid_cfe,google_cfe,grid_gCO2perkWh\nus-central1,Iowa,29%,78%,479\n"
    assert one(2019, text)["cfe_fraction"].to_list() == ["0.78"]


@pytest.mark.parametrize(
    ("year", "header", "basis"),
    [
        (2019, "Grid carbon intensity (gCO2eq / kWh)", "lifecycle"),
        (2020, "Grid gCO2eq / kWh", "lifecycle"),
        (2020, "Lifecycle grid carbon intensity (gCO2eq / kWh)", "lifecycle"),
        (2021, "Grid carbon intensity (gCO2eq / kWh)", "direct"),
        (2025, "Lifecycle grid carbon intensity (gCO2eq / kWh)", "lifecycle"),
    ],
)
def test_the_intensity_counts_the_lifecycle_until_2020_or_where_the_header_says_so(
    year: int, header: str, basis: str
) -> None:
    text = f"Google Cloud Region,Location,Google CFE,{header}\na,A,0.5,100\n"
    assert one(year, text)["intensity_basis"].to_list() == [basis]


def test_order_of_columns_and_new_columns_do_not_matter() -> None:
    expected = one(2022, f"{HEADER}\na,A,0.5,100\n")
    text = "New,Grid carbon intensity (gCO2eq / kWh),Google CFE,Location,Google Cloud Region\nx,100,0.5,A,a\n"
    assert one(2022, text).equals(expected)


@pytest.mark.parametrize("name", HEADER.split(","))
def test_a_renamed_column_is_named_with_its_file(name: str) -> None:
    with pytest.raises(UpstreamChangedError) as error:
        one(2022, HEADER.replace(name, "Something else", 1) + "\na,A,0.5,100\n")
    assert "google_region_carbon/2022.csv" in str(error.value)
    assert name in str(error.value)


@pytest.mark.parametrize("files", [{}, {"google_region_carbon/latest.csv": HEADER.encode()}])
def test_files_without_a_year_are_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(UpstreamChangedError, match="year"):
        parse(files)


@needs_upstream
def test_the_files_of_december_2025() -> None:
    frame = parse({f"google_region_carbon/{p.name}": p.read_bytes() for p in FOLDER.glob("*.csv")})
    assert frame.group_by("year").len().sort("year").rows() == [
        ("2019", 24),
        ("2020", 27),
        ("2021", 34),
        ("2022", 36),
        ("2023", 40),
        ("2024", 44),
    ]
    assert not frame.select("region", "year").is_duplicated().any()
    empty = frame.filter(pl.col("cfe_fraction").is_null()).group_by("year").len().sort("year").rows()
    assert empty == [("2019", 8), ("2020", 8), ("2021", 3)]
    iowa = frame.filter(region="us-central1", year="2020").row(0)
    assert iowa == ("us-central1", "Iowa", "2020", "0.93", "454", "lifecycle")
    taiwan = frame.filter(region="asia-east1", year="2024").row(0)
    assert taiwan == ("asia-east1", "Taiwan", "2024", "0.17", "439.29", "direct")


@needs_upstream
@pytest.mark.parametrize("path", VINTAGES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_vintage_means_the_same(path: Path) -> None:
    frame = parse({f"google_region_carbon/{path.name}": path.read_bytes()})
    assert frame.columns == COLUMNS
    assert set(frame.dtypes) == {pl.String}
    shares = frame["cfe_fraction"].drop_nulls().cast(pl.Float64)
    intensities = frame["carbon_intensity_g_per_kwh"].drop_nulls().cast(pl.Float64)
    assert shares.is_between(0, 1).all()
    assert intensities.is_between(0, 1400).all()
    assert shares.len() >= 16
    assert intensities.len() >= 16
    assert set(frame["intensity_basis"]) == {"lifecycle" if int(path.stem) <= 2020 else "direct"}


@needs_upstream
def test_there_are_27_vintages() -> None:
    assert len(VINTAGES) == 27
