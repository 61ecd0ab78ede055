"""Epoch AI's data centers: a row per date of the timeline, places in decimal degrees, nothing lost."""

import polars as pl
import pytest

from ote.ingestion.tabular import UpstreamChangedError
from ote.sources.epoch_data_centers import CENTERS, TIMELINES, decimal_degrees, parse
from tests.conftest import UPSTREAM, needs_upstream

FOLDER = UPSTREAM / "epoch_data_centers"
COLUMNS = [
    "site",
    "site_title",
    "owner",
    "users",
    "address",
    "latitude",
    "longitude",
    "status_date",
    "power_mw",
    "h100_equivalents",
    "construction_status",
]
CENTERS_HEADER = "Handle,Title,Address,Latitude,Longitude,Owner,Users"
TIMELINES_HEADER = "Date,Data center,Construction status,Power (MW),H100 equivalents"
CENTER = (
    """Helios Texas,Helios,Afton,"33°46'27""N"," 100°52'08""W",Coreweave #confident,Microsoft #speculative"""
)
DATED = "2026-03-01,Helios Texas,Building 1 operational,133.0,63000.5"


def files(centers: str, timelines: str) -> dict[str, bytes]:
    return {CENTERS: centers.encode(), TIMELINES: timelines.encode()}


def both(centers_header: str = CENTERS_HEADER, timelines_header: str = TIMELINES_HEADER) -> dict[str, bytes]:
    return files(f"{centers_header}\n{CENTER}\n", f"{timelines_header}\n{DATED}\n")


# 27" are 0.45', 46.45' are 0.7741666...°; 8" are 0.1333...', 52.1333...' are 0.868888...°.
@pytest.mark.parametrize(
    ("cell", "degrees"),
    [
        ("33°46'27\"N", 33.7741667),
        ("100°52'08\"W", -100.8688889),
        ("41°11'6.6732\"N", 41.185187),
        ("34°30'00\"S", -34.5),
        ("0°0'36\"E", 0.01),
        ("-100.5", -100.5),
    ],
)
def test_degrees_minutes_and_seconds_become_decimal_degrees(cell: str, degrees: float) -> None:
    assert float(decimal_degrees(cell)) == pytest.approx(degrees, abs=1e-7)


@pytest.mark.parametrize("cell", ["33°46'N", "somewhere", "33°46'27\"", "33°46'27\"X"])
def test_what_is_no_angle_stays_for_ingest_to_refuse(cell: str) -> None:
    assert decimal_degrees(cell) == cell


def test_a_date_of_the_timeline_is_a_row_with_its_data_center() -> None:
    frame = parse(both())
    assert frame.columns == COLUMNS
    row = frame.row(0, named=True)
    latitude, longitude = float(row.pop("latitude")), float(row.pop("longitude"))
    assert (latitude, longitude) == pytest.approx((33.7741667, -100.8688889), abs=1e-7)
    assert row == {
        "site": "Helios Texas",
        "site_title": "Helios",
        "owner": "Coreweave #confident",
        "users": "Microsoft #speculative",
        "address": "Afton",
        "status_date": "2026-03-01",
        "power_mw": "133.0",
        "h100_equivalents": "63000.5",
        "construction_status": None,
    }


def test_a_data_center_that_only_the_timeline_names_is_kept() -> None:
    other = "2026-03-02,Elsewhere,,1,2"
    frame = parse(files(f"{CENTERS_HEADER}\n{CENTER}\n", f"{TIMELINES_HEADER}\n{DATED}\n{other}\n"))
    assert frame.select("site", "owner", "power_mw").rows() == [
        ("Elsewhere", None, "1"),
        ("Helios Texas", "Coreweave #confident", "133.0"),
    ]


def test_files_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(UpstreamChangedError, match=r"data_center_timelines.csv: no data center of it is in"):
        parse(files(f"{CENTERS_HEADER}\n{CENTER}\n", f"{TIMELINES_HEADER}\n2026-03-02,Elsewhere,,1,2\n"))


def test_the_later_header_without_title_and_coordinates_is_read() -> None:
    later = files(
        "Name,Owner,Users,Country,Address\nHelios Texas,Coreweave #confident,Microsoft,USA,Afton\n",
        "Data center,Date,Construction status,IT power (MW),Power (MW),H100 equivalents\n"
        "Helios Texas,2026-03-01,Done,100,133.0,5\n",
    )
    row = parse(later).row(0, named=True)
    assert (row["site"], row["power_mw"], row["site_title"], row["latitude"]) == (
        "Helios Texas",
        "133.0",
        None,
        None,
    )


def test_order_of_columns_and_new_columns_do_not_matter() -> None:
    other = files(
        "New,Users,Owner,Longitude,Latitude,Address,Title,Handle\n"
        "x,Microsoft #speculative,Coreweave #confident,"
        '" 100°52\'08""W","33°46\'27""N",Afton,Helios,Helios Texas\n',
        "H100 equivalents,New,Power (MW),Construction status,Data center,Date\n"
        "63000.5,x,133.0,Building 1 operational,Helios Texas,2026-03-01\n",
    )
    assert parse(other).equals(parse(both()))


@pytest.mark.parametrize("name", CENTERS_HEADER.split(","))
def test_a_renamed_column_of_the_list_is_named_with_its_file(name: str) -> None:
    with pytest.raises(UpstreamChangedError) as error:
        parse(both(centers_header=CENTERS_HEADER.replace(name, "Something else")))
    assert CENTERS in str(error.value)
    assert name in str(error.value)


@pytest.mark.parametrize("name", TIMELINES_HEADER.split(","))
def test_a_renamed_column_of_the_timeline_is_named_with_its_file(name: str) -> None:
    with pytest.raises(UpstreamChangedError) as error:
        parse(both(timelines_header=TIMELINES_HEADER.replace(name, "Something else")))
    assert TIMELINES in str(error.value)
    assert name in str(error.value)


@pytest.mark.parametrize("file", [CENTERS, TIMELINES])
def test_a_missing_file_is_refused(file: str) -> None:
    with pytest.raises(UpstreamChangedError, match=f"{file}: not there"):
        parse({name: content for name, content in both().items() if name != file})


@needs_upstream
def test_the_files_of_january_2026() -> None:
    frame = parse({f"epoch_data_centers/{p.name}": p.read_bytes() for p in FOLDER.glob("*.csv")})
    assert frame.columns == COLUMNS
    assert set(frame.dtypes) == {pl.String}
    assert (frame.height, frame["site"].n_unique()) == (129, 18)
    assert not frame.select("site", "status_date").is_duplicated().any()
    assert frame["latitude"].cast(pl.Float64).is_between(24, 43).all()
    east = frame.filter(pl.col("longitude").cast(pl.Float64) > 0)["site"].unique().sort().to_list()
    assert east == ["Alibaba Zhangbei Zhangjiakou Hebei", "OpenAI-Oracle Stargate Abu Dhabi"]
    first = frame.row(0, named=True)
    assert (first["status_date"], first["power_mw"]) == ("2016-09-20", "0.0")
    assert float(first["latitude"]) == pytest.approx(41.185187, abs=1e-6)
    assert frame["h100_equivalents"].null_count() == 2
    assert frame["status_date"].max() == "2029-01-01"
