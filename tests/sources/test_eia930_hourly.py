"""Hours of EIA-930: hours worked by hand, blank cells, the real files."""

import gzip
from datetime import datetime

import polars as pl
import pytest

from ote.ingestion.hourly import DIRECT, HOURS, LIFECYCLE
from ote.ingestion.tabular import UpstreamChangedError
from ote.sources import eia930_hourly as eia930
from tests.conftest import UPSTREAM, needs_upstream

FILE = eia930.file_name("PJM")
# 1,000 MW: 100 wind, 50 solar, 150 hydro, 20 oil, 300 gas, 200 coal, 160 nuclear, 20 other:
# 1100 + 2050 + 3600 + 13000 + 147000 + 164000 + 1920 + 4600 = 337,270 g a MW.
TEXT = (
    "timestamp,WND,SUN,WAT,OIL,NG,COL,NUC,OTH,avg_CI\n"
    "2022-01-01 00:00:00+00:00,100,50,150,20,300,200,160,20,337.27\n"
)


def of(text: str) -> pl.DataFrame:
    return eia930.parse_hours(text.encode(), FILE, "PJM")


def read(zone: str) -> dict[str, bytes]:
    file = eia930.file_name(zone)
    return {file: gzip.decompress((UPSTREAM / f"{file}.gz").read_bytes())}


def test_an_hour_worked_by_hand_is_on_lifecycle_basis() -> None:
    hours = of(TEXT)
    assert hours.schema == HOURS
    assert hours.row(0, named=True) == {
        "hour_utc": datetime(2022, 1, 1),
        "zone": "PJM",
        DIRECT: None,
        LIFECYCLE: 337.27,
        "cfe_fraction": pytest.approx(0.46),
        "biomass_fraction": None,
        "unknown_fraction": pytest.approx(0.02),
        "direct_gap_g_per_kwh": None,
        "lifecycle_gap_g_per_kwh": 0.0,
        "generation_weight": 1000.0,
    }


def test_a_blank_hour_stays_blank() -> None:
    row = of(TEXT + "2022-01-01 01:00:00+00:00,,,,0.0,,,,,\n").row(1, named=True)
    assert {name for name, value in row.items() if value is not None} == {"hour_utc", "zone"}


def test_one_blank_fuel_leaves_the_share_unknown_and_the_intensity_as_stated() -> None:
    row = of(TEXT.replace(",150,", ",,")).row(0, named=True)
    assert (row[LIFECYCLE], row["cfe_fraction"], row["generation_weight"]) == (337.27, None, None)


def test_an_hour_without_any_generation_has_no_share() -> None:
    row = of(TEXT + "2022-01-01 01:00:00+00:00,0,0,0,0,0,0,0,0,\n").row(1, named=True)
    assert (row["cfe_fraction"], row["generation_weight"]) == (None, None)


def test_a_mix_that_does_not_explain_the_intensity_gives_no_share() -> None:
    row = of(TEXT.replace("NG,COL", "COL,NG")).row(0, named=True)
    assert row["cfe_fraction"] is None
    assert row["lifecycle_gap_g_per_kwh"] == pytest.approx((300 - 200) * (490 - 820) / 1000)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (TEXT.replace("+00:00", "-05:00"), "'2022-01-01 00:00:00-05:00' is not in the format"),
        (TEXT.replace("avg_CI", "CI"), "no column avg_CI"),
        (TEXT.replace("NUC", "NUK"), "no column NUC"),
        (TEXT.replace("337.27", "-"), "column avg_CI: '-' is not a number"),
    ],
)
def test_a_file_that_is_not_known_is_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(UpstreamChangedError, match=rf"PJM_NG_&_avgCI\.csv.*{says}"):
        of(text)


def test_an_absent_file_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"hourly/eia930/SOCO_NG_&_avgCI\.csv"):
        eia930.parse_zone({FILE: TEXT.encode()}, "SOCO", 2022)


@needs_upstream
@pytest.mark.parametrize(("zone"), eia930.ZONES)
def test_every_real_zone_has_every_hour_and_its_blanks(zone: str) -> None:
    hours = eia930.parse_zone(read(zone), zone, 2022)
    blanks = {"CISO": 3, "MISO": 3, "PJM": 23}.get(zone, 0)
    assert hours.height == 8760
    assert hours["hour_utc"].diff().drop_nulls().dt.total_hours().unique().to_list() == [1]
    for name in (LIFECYCLE, "cfe_fraction", "unknown_fraction", "generation_weight"):
        assert hours[name].null_count() == blanks, name
    assert (hours["lifecycle_gap_g_per_kwh"].drop_nulls() == 0).all(), "the factors are those of the source"
    assert hours[LIFECYCLE].drop_nulls().is_between(0, 1400).all()
    assert hours[DIRECT].null_count() == 8760


@needs_upstream
def test_what_is_judged_of_a_change_has_a_row_per_zone() -> None:
    rows = eia930.parse(read("PJM") | read("AZPS"))
    assert rows.select("zone", "year", "blank_hours", "low_generation_hours").rows() == [
        ("AZPS", 2022, 0, 0),
        ("PJM", 2022, 23, 5),
    ]
    with pytest.raises(UpstreamChangedError, match="no zone"):
        eia930.parse({})
