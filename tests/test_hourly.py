"""The yearly figures of hours, and these beside the figures of others."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl
import pytest

from ote import catalog
from ote.ingestion import hourly
from ote.ingestion.hourly import DIRECT, HOURS, LIFECYCLE
from ote.sources import carboncast_hourly, eia930_hourly
from tests.conftest import Model


def hours(
    zone: str = "CISO", year: int = 2020, count: int = 9000, values: Mapping[str, list[Any]] | None = None
) -> pl.DataFrame:
    """Hours from the first of January, alike but for the values given: direct 100, lifecycle 200."""
    start, end = datetime(year, 1, 1), datetime(year, 12, 31, 23)
    times = pl.datetime_range(start, end, "1h", eager=True).head(count)
    given = {
        "zone": zone,
        DIRECT: 100.0,
        LIFECYCLE: 200.0,
        "cfe_fraction": 0.5,
        "biomass_fraction": None,
        "unknown_fraction": 0.0,
        "direct_gap_g_per_kwh": 0.0,
        "lifecycle_gap_g_per_kwh": 0.0,
        "generation_weight": 10.0,
    }
    frame = pl.DataFrame({"hour_utc": times}).with_columns(
        pl.lit(value).alias(name) for name, value in given.items()
    )
    return frame.with_columns(**{name: pl.Series(cells) for name, cells in (values or {}).items()}).cast(
        HOURS
    )


def test_means_are_worked_by_hand() -> None:
    three = hours(
        count=3,
        values={
            DIRECT: [100.0, 200.0, None],
            LIFECYCLE: [90.0, 300.0, None],
            "cfe_fraction": [0.9, 0.3, None],
            "generation_weight": [30.0, 10.0, None],
        },
    )
    row = hourly.summary(three, "carboncast_hourly", 2020).row(0, named=True)
    assert (row[DIRECT], row[LIFECYCLE], row["cfe_fraction"]) == (150, 195, pytest.approx(0.6))
    assert row["weighted_direct_g_per_kwh"] == (100 * 30 + 200 * 10) / 40
    assert (row["lowest_direct_g_per_kwh"], row["highest_lifecycle_g_per_kwh"]) == (100, 300)
    assert (row["lowest_cfe_fraction"], row["highest_cfe_fraction"]) == (0.3, 0.9)
    counted = {name: value for name, value in row.items() if name.endswith("_hours")}
    assert counted == {
        "observed_hours": 3,
        "missing_hours": 8781,
        "blank_hours": 1,
        "low_generation_hours": 0,
        "unexplained_hours": 0,
        "lifecycle_below_direct_hours": 1,
    }


def test_weights_do_not_depend_on_the_unit_of_generation() -> None:
    values: dict[str, list[Any]] = {DIRECT: [100.0, 200.0, 400.0]}
    one = hourly.summary(hours(count=3, values={**values, "generation_weight": [1.0, 2.0, 3.0]}), "x", 2020)
    four = hourly.summary(hours(count=3, values={**values, "generation_weight": [4.0, 8.0, 12.0]}), "x", 2020)
    assert one.equals(four)


def test_hours_with_hardly_any_generation_and_without_explanation_are_counted() -> None:
    odd = hours(
        count=4,
        values={"generation_weight": [100.0, 100.0, 9.9, 100.0], "cfe_fraction": [0.5, None, 0.5, 0.5]},
    )
    row = hourly.summary(odd, "x", 2020).row(0, named=True)
    assert (row["low_generation_hours"], row["unexplained_hours"]) == (1, 1)


@pytest.mark.parametrize(("year", "count"), [(2020, 8784), (2021, 8760), (2000, 8784)])
def test_a_whole_year_misses_nothing_leap_years_included(year: int, count: int) -> None:
    row = hourly.summary(hours(year=year), "x", year).row(0, named=True)
    assert (row["observed_hours"], row["missing_hours"]) == (count, 0)


def test_a_basis_that_the_source_lacks_has_no_mean() -> None:
    row = hourly.summary(hours(count=2, values={DIRECT: [None, None]}), "eia930_hourly", 2020).row(
        0, named=True
    )
    assert row[DIRECT] is row["weighted_direct_g_per_kwh"] is row["lowest_direct_g_per_kwh"] is None
    assert row["blank_hours"] == 0


def test_the_typical_day_of_a_month_is_worked_by_hand() -> None:
    """February of 2021 alternates between two days; of March too few hours are known, of others none."""
    days = [(0 if day % 2 else 100) + hour for day in range(28) for hour in range(24)]
    march = [1.0] * (24 * 31 - 75) + [None] * 75  # a tenth of 744 hours is 74.4
    values = [None] * (31 * 24) + [float(value) for value in days] + march
    row = hourly.summary(hours(year=2021, count=len(values), values={LIFECYCLE: values}), "x", 2021)
    means = json.loads(row["lifecycle_by_hour"][0])
    assert means[1] == [50.0 + hour for hour in range(24)]
    assert [month for month, day in enumerate(means, start=1) if day] == [2]
    assert json.loads(row["lifecycle_by_month"][0]) == [None, 50 + 23 / 2, *[None] * 10]


def test_every_zone_lies_beside_a_region_of_the_yearly_figures() -> None:
    zones = pl.read_csv(catalog.ROOT / "warehouse" / "reference" / "hourly_zones.csv")
    assert set(zones["zone"]) == {*carboncast_hourly.ZONES, *eia930_hourly.ZONES}
    grid = pl.read_csv(
        catalog.ROOT / "warehouse" / "reference" / "grid_intensity.csv", infer_schema_length=None
    )
    assert zones.join(grid, on=["scheme", "region"], how="anti").is_empty()


YEAR: dict[str, Any] = {
    "source": "carboncast_hourly",
    "zone": "CISO",
    "year": 2020,
    "observed_hours": 8784,
    "missing_hours": 0,
    "blank_hours": 0,
    "low_generation_hours": 0,
    "lifecycle_below_direct_hours": 0,
    DIRECT: 100.0,
    LIFECYCLE: 200.0,
    "weighted_direct_g_per_kwh": 100.0,
    "weighted_lifecycle_g_per_kwh": 200.0,
    "unknown_fraction": 0.0,
    "direct_gap_g_per_kwh": 0.0,
    "lifecycle_gap_g_per_kwh": 0.0,
}
ZONE = {"zone": "CISO", "scheme": "us_egrid_subregion", "region": "CAMX", "coverage": "part_of"}
GRID = {
    "scheme": "us_egrid_subregion",
    "region": "CAMX",
    "year": 2020,
    "intensity_basis": "direct",
    "carbon_intensity_g_per_kwh": 125.0,
    "source_url": "https://example.org/egrid",
}


def compare(model: Model, grid: list[dict[str, Any]], **year: Any) -> list[dict[str, Any]]:
    rows = {
        "raw.hourly_grid_years": [YEAR | year],
        "raw.hourly_zones": [ZONE],
        "raw.grid_intensity": grid,
        "core.grid_intensity": grid,
    }
    return model("support.hourly_comparison", rows).to_dicts()


def test_means_stand_beside_figures_of_the_same_basis_and_year_only(model: Model) -> None:
    lifecycle = GRID | {"intensity_basis": "lifecycle", "carbon_intensity_g_per_kwh": 400.0}
    others = [GRID | {"year": 2021}, GRID | {"intensity_basis": "unspecified"}, GRID | {"region": "NWPP"}]
    rows = compare(model, [GRID, lifecycle, *others])
    found = {row["intensity_basis"]: row for row in rows}
    assert len(rows) == 2
    assert (found["direct"]["hourly_mean_g_per_kwh"], found["direct"]["hourly_to_yearly_ratio"]) == (100, 0.8)
    assert (found["lifecycle"]["hourly_mean_g_per_kwh"], found["lifecycle"]["hourly_to_yearly_ratio"]) == (
        200,
        0.5,
    )


def test_a_basis_without_hours_is_not_compared(model: Model) -> None:
    assert compare(model, [GRID], **{DIRECT: None}) == []


def test_nothing_is_explained_that_the_data_do_not_show(model: Model) -> None:
    (row,) = compare(model, [GRID])
    assert row["explanation"] == (
        "the zone is only a part of the region; the hours count generation in the zone, without imports, "
        "at one factor per fuel; eGRID counts the emissions of each plant"
    )


@pytest.mark.parametrize(
    ("year", "says"),
    [
        ({"unknown_fraction": 0.164}, "16.4 % of generation is of unknown fuel, at 575 g/kWh"),
        ({"biomass_fraction": 0.1}, "10.0 % is biomass, at 0 g/kWh"),
        ({"direct_gap_g_per_kwh": -28.2}, "28.2 g/kWh less than its own mix and factors give"),
        ({"direct_gap_g_per_kwh": 3.0}, "3.0 g/kWh more than its own mix and factors give"),
        ({"lifecycle_below_direct_hours": 7881}, "lifecycle below direct in 7881 of 8784 hours"),
        (
            {"weighted_direct_g_per_kwh": 95.0},
            "weighted by generation, as yearly figures are, the mean is 95.0 g/kWh",
        ),
        ({"blank_hours": 20, "missing_hours": 3}, "23 hours are missing or blank"),
        ({"low_generation_hours": 5}, "5 hours hold less than a tenth of the usual generation"),
    ],
)
def test_what_the_data_show_is_explained(model: Model, year: dict[str, Any], says: str) -> None:
    (row,) = compare(model, [GRID], **year)
    assert says in row["explanation"]
