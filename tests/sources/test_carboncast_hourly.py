"""Hours of CarbonCast: hours worked by hand, both orders of a date, the faults of the real files."""

import gzip
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from ote.ingestion.hourly import DIRECT, HOURS, LIFECYCLE
from ote.ingestion.tabular import UpstreamChangedError
from ote.sources import carboncast_hourly as carboncast
from tests.conftest import UPSTREAM, needs_upstream

DIRECT_FILE, LIFECYCLE_FILE = carboncast.file_names("DE")
# 100 MW, two fifths of it carbon-free: coal 30 x 760 + gas 20 x 370 + unknown 10 x 575 = 35,950 g of 100 kWh;
# lifecycle 30 x 820 + 20 x 490 + 10 x 700 + 10 x 230 + 20 x 11 + 10 x 12 = 44,040 g.
HEADER = "carbon_intensity,coal,nat_gas,unknown,biomass,wind,nuclear\n"
ONE = f",UTC time,{HEADER}0,2020-01-01 00:00:00,359.5,30,20,10,10,20,10\n"
ALSO = f",UTC time,{HEADER}0,01/01/2020 00:00:00,440.4,30,20,10,10,20,10\n"


def of(text: str, file: str = DIRECT_FILE) -> pl.DataFrame:
    return carboncast.parse_hours(text.encode(), file, "DE")


def both(direct: str = ONE, lifecycle: str = ALSO) -> dict[str, bytes]:
    return {DIRECT_FILE: direct.encode(), LIFECYCLE_FILE: lifecycle.encode()}


def read(file: str) -> bytes:
    return gzip.decompress(Path(UPSTREAM / f"{file}.gz").read_bytes())


def test_an_hour_worked_by_hand() -> None:
    row = carboncast.parse_zone(both(), "DE", 2020).row(0, named=True)
    assert row == {
        "hour_utc": datetime(2020, 1, 1),
        "zone": "DE",
        DIRECT: 359.5,
        LIFECYCLE: 440.4,
        "cfe_fraction": pytest.approx(0.4),
        "biomass_fraction": pytest.approx(0.1),
        "unknown_fraction": pytest.approx(0.1),
        "direct_gap_g_per_kwh": 0.0,
        "lifecycle_gap_g_per_kwh": 0.0,
        "generation_weight": 100.0,
    }


@pytest.mark.parametrize(
    ("file", "here", "absent"), [(DIRECT_FILE, DIRECT, LIFECYCLE), (LIFECYCLE_FILE, LIFECYCLE, DIRECT)]
)
def test_a_file_gives_its_own_basis_only(file: str, here: str, absent: str) -> None:
    hours = of(ONE if here == DIRECT else ALSO, file)
    assert hours.schema == HOURS
    assert hours[here].null_count() == 0
    assert hours[absent].null_count() == hours.height


def test_biomass_is_unknown_where_the_file_has_no_such_column() -> None:
    row = of(",UTC time,carbon_intensity,nat_gas,wind\n0,2020-01-01 00:00:00,185,50,50\n").row(0, named=True)
    assert (row["cfe_fraction"], row["biomass_fraction"], row["unknown_fraction"]) == (0.5, None, 0.0)


def test_a_slash_means_month_first_and_nothing_is_guessed() -> None:
    february = ALSO.replace("01/01/2020", "02/01/2020")
    assert of(february, LIFECYCLE_FILE)["hour_utc"][0] == datetime(2020, 2, 1)
    with pytest.raises(UpstreamChangedError, match=r"DE_lifecycle.*'13/01/2020 00:00:00'"):
        of(ALSO + ALSO.splitlines()[1].replace("01/01/2020", "13/01/2020"), LIFECYCLE_FILE)


@pytest.mark.parametrize(
    "time", ["01/01/2020 01:00:00", "2020-01-01 01:00:00+01:00", "2020-01-01", "", "noon"]
)
def test_a_file_keeps_one_format_of_time_in_utc(time: str) -> None:
    with pytest.raises(UpstreamChangedError, match="row 2"):
        of(f"{ONE}1,{time},359.5,30,20,10,10,20,10\n")


def test_a_time_within_an_hour_is_refused() -> None:
    with pytest.raises(UpstreamChangedError, match="is not a full hour"):
        of(ONE.replace("00:00:00", "00:15:00"))


def test_columns_under_the_wrong_header_give_no_share() -> None:
    # The fuels of both files stand one location to the right, so the mix explains neither intensity.
    shifted = "coal,nat_gas,unknown", "nat_gas,unknown,coal"
    row = carboncast.parse_zone(both(ONE.replace(*shifted), ALSO.replace(*shifted)), "DE", 2020).row(
        0, named=True
    )
    assert (row["cfe_fraction"], row["unknown_fraction"]) == (None, None)
    assert (row[DIRECT], row[LIFECYCLE]) == (359.5, 440.4)


@pytest.mark.parametrize("wrong", ["direct", "lifecycle"])
def test_shares_are_taken_from_the_file_whose_mix_explains_its_intensity(wrong: str) -> None:
    shifted = "coal,nat_gas,unknown", "unknown,coal,nat_gas"
    files = both(
        ONE.replace(*shifted) if wrong == "direct" else ONE,
        ALSO.replace(*shifted) if wrong == "lifecycle" else ALSO,
    )
    row = carboncast.parse_zone(files, "DE", 2020).row(0, named=True)
    assert row["unknown_fraction"] == pytest.approx(0.1)
    assert (row["direct_gap_g_per_kwh"], row["lifecycle_gap_g_per_kwh"]) == (0.0, 0.0)


def test_an_intensity_that_the_mix_does_not_give_is_kept_and_its_gap_reported() -> None:
    row = carboncast.parse_zone(both(lifecycle=ALSO.replace("440.4", "400")), "DE", 2020).row(0, named=True)
    assert row[LIFECYCLE] == 400.0
    assert row["lifecycle_gap_g_per_kwh"] == pytest.approx(-40.4)
    assert row["cfe_fraction"] == pytest.approx(0.4)


def test_a_blank_cell_is_null_and_so_is_what_follows_from_it() -> None:
    row = of(ONE.replace(",20,10,10,", ",,10,10,")).row(0, named=True)
    assert row[DIRECT] == 359.5
    assert row["cfe_fraction"] is row["generation_weight"] is row["direct_gap_g_per_kwh"] is None


def test_an_hour_that_one_file_lacks_is_null_on_its_basis() -> None:
    more = f"{ONE}1,2020-01-01 01:00:00,359.5,30,20,10,10,20,10\n"
    hours = carboncast.parse_zone(both(more), "DE", 2020)
    assert hours[LIFECYCLE].to_list() == [440.4, None]
    assert hours["cfe_fraction"].to_list() == pytest.approx([0.4, 0.4])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (ONE.replace("wind", "fusion"), "no factor is known for fusion"),
        (ONE.replace("carbon_intensity", "intensity"), "no column carbon_intensity"),
        (ONE.replace("359.5", "high"), "column carbon_intensity: 'high' is not a number"),
        (ONE.replace("359.5", "nan"), "'nan' is not a number"),
        ("404: Not Found", "no column UTC time or carbon_intensity"),
    ],
)
def test_a_file_that_is_not_known_is_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(UpstreamChangedError, match=rf"DE_direct_emissions\.csv.*{says}"):
        of(text)


@pytest.mark.parametrize("gone", [DIRECT_FILE, LIFECYCLE_FILE])
def test_an_absent_file_is_named(gone: str) -> None:
    files = {name: content for name, content in both().items() if name != gone}
    with pytest.raises(FileNotFoundError, match=gone):
        carboncast.parse_zone(files, "DE", 2020)


def test_repeated_and_disordered_hours_are_refused_and_another_year_is_none_of_them() -> None:
    row = ONE.splitlines()[1]
    with pytest.raises(
        UpstreamChangedError, match=r"DE_direct.*1 hours repeated, the first 2020-01-01 00:00"
    ):
        carboncast.parse_zone(both(f"{ONE}{row}\n"), "DE", 2020)
    later = row.replace("00:00:00", "05:00:00")
    earlier = row.replace("00:00:00", "04:00:00")
    with pytest.raises(UpstreamChangedError, match=r"out of order, the first 2020-01-01 04:00"):
        carboncast.parse_zone(both(f"{ONE}{later}\n{earlier}\n"), "DE", 2020)
    with pytest.raises(UpstreamChangedError, match="no hour of 2019"):
        carboncast.parse_zone(both(), "DE", 2019)


@needs_upstream
@pytest.mark.parametrize("zone", carboncast.ZONES)
def test_every_real_zone_has_every_hour_of_both_years(zone: str) -> None:
    files = {name: read(name) for name in carboncast.file_names(zone)}
    for year, count in ((2020, 8784), (2021, 8760)):
        hours = carboncast.parse_zone(files, zone, year)
        assert hours.height == count
        assert hours["hour_utc"].diff().drop_nulls().dt.total_hours().unique().to_list() == [1]
        assert hours.drop("biomass_fraction").null_count().row(0) == (0,) * (len(HOURS) - 1)
        assert hours[DIRECT].is_between(0, 1300).all()
        assert hours["cfe_fraction"].is_between(0, 1).all()
        assert (hours["direct_gap_g_per_kwh"] == 0).all(), "the mix times the factors is the stated intensity"
        assert (hours["lifecycle_gap_g_per_kwh"] == 0).all() == (zone != "SE")


@needs_upstream
def test_a_real_hour_is_its_mix_times_the_factors() -> None:
    file, _ = carboncast.file_names("CISO")
    row = of_first(file, "CISO")
    # 12 coal, 7290 gas, 2273 nuclear, 91 oil, 1403 solar, 225 wind of 11,294 MW
    assert row[DIRECT] == pytest.approx((12 * 760 + 7290 * 370 + 91 * 406) / 11294, abs=0.01)
    assert row["cfe_fraction"] == pytest.approx((2273 + 1403 + 225) / 11294)


def of_first(file: str, zone: str) -> dict[str, object]:
    return carboncast.parse_hours(read(file), file, zone).row(0, named=True)


@needs_upstream
def test_lifecycle_of_sweden_lies_below_direct_since_it_counts_unknown_fuel_at_293() -> None:
    files = {name: read(name) for name in carboncast.file_names("SE")}
    hours = carboncast.parse_zone(files, "SE", 2021)
    assert (hours[LIFECYCLE] < hours[DIRECT]).sum() == 7881
    implied = 700 + hours["lifecycle_gap_g_per_kwh"] / hours["unknown_fraction"]
    assert implied.min() == pytest.approx(292.9, abs=0.5)
    assert implied.max() == pytest.approx(292.9, abs=0.5)


@needs_upstream
def test_the_last_hours_of_texas_take_their_mix_from_the_file_that_has_it_right() -> None:
    direct, lifecycle = carboncast.file_names("ERCO")
    alone = carboncast.parse_hours(read(direct), direct, "ERCO")
    assert (alone["cfe_fraction"].is_null()).sum() == 72
    hours = carboncast.parse_zone({name: read(name) for name in (direct, lifecycle)}, "ERCO", 2021)
    # 10335 coal, 15235 gas, 5100 nuclear, 6 hydro, 619 solar, 13728 wind, 121 other
    assert hours["cfe_fraction"][-1] == pytest.approx((5100 + 6 + 619 + 13728) / 45144)


@needs_upstream
def test_generation_of_germany_and_the_netherlands_is_no_energy() -> None:
    # Germany generated some 490 TWh net for the public grid in 2020, the file has four times that.
    files = {name: read(name) for name in carboncast.file_names("DE")}
    weights = carboncast.parse_zone(files, "DE", 2020)["generation_weight"]
    assert float(weights.sum()) / 4e6 == pytest.approx(490, rel=0.03)


@needs_upstream
def test_what_is_judged_of_a_change_has_a_row_per_partition() -> None:
    files = {name: read(name) for zone in ("CISO", "SE") for name in carboncast.file_names(zone)}
    rows = carboncast.parse(files)
    assert rows.select("zone", "year").rows() == [("CISO", 2020), ("CISO", 2021), ("SE", 2020), ("SE", 2021)]
    with pytest.raises(UpstreamChangedError, match="no zone"):
        carboncast.parse({})
