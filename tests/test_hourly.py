"""Hours as Dagster partitions, their yearly figures, and these beside the figures of others."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import polars as pl
import pytest

from pipelines import catalog
from pipelines.definitions import defs
from pipelines.ingestion import hourly, hourly_assets
from pipelines.ingestion.hourly import DIRECT, HOURS, LIFECYCLE
from pipelines.ingestion.upstream import Upstream
from pipelines.sources import carboncast_hourly, eia930_hourly
from pipelines.warehouse import Warehouse
from tests.conftest import Model

PARTITIONS = ["CISO-2020", "CISO-2021", "AUS_QLD-2020"]
FILES = {"CISO": b"", "AUS_QLD": b""}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


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


def parse_zone(files: Mapping[str, bytes], zone: str, year: int) -> pl.DataFrame:
    if zone not in files:
        raise FileNotFoundError(f"{zone}.csv absent")
    return hours(zone, year)


def asset(files: Mapping[str, bytes] = FILES) -> dg.AssetsDefinition:
    return hourly_assets.hours_asset("carboncast", PARTITIONS, parse_zone, lambda warehouse, _: (files, "x"))


def run(folder: Path, assets: list[dg.AssetsDefinition], **how: Any) -> dg.ExecuteInProcessResult:
    resources = {"warehouse": Warehouse(directory=str(folder), reference=str(folder)), "upstream": Upstream()}
    return dg.materialize(assets, resources=resources, run_config=QUIET, raise_on_error=False, **how)


def written(folder: Path) -> list[str]:
    return sorted(
        str(p.relative_to(folder / "hourly")) for p in (folder / "hourly").rglob("*") if p.is_file()
    )


def materialized(result: dg.ExecuteInProcessResult) -> dict[str | None, dict[str, Any]]:
    """Facts by partition; a partition that is reported twice fails."""
    events = [
        event.step_materialization_data.materialization
        for event in result.all_events
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION
    ]
    found = {e.partition: {name: value.value for name, value in e.metadata.items()} for e in events}
    assert len(found) == len(events)
    return found


def test_one_run_writes_every_partition_and_reports_each(tmp_path: Path) -> None:
    one = asset()
    result = run(tmp_path, [one], tags=hourly_assets.every_partition(one))
    assert result.success
    assert written(tmp_path) == [
        "carboncast/zone=AUS_QLD/year=2020/hours.parquet",
        "carboncast/zone=CISO/year=2020/hours.parquet",
        "carboncast/zone=CISO/year=2021/hours.parquet",
    ]
    facts = materialized(result)
    assert {key: fact["dagster/row_count"] for key, fact in facts.items()} == {
        "CISO-2020": 8784,
        "CISO-2021": 8760,
        "AUS_QLD-2020": 8784,
    }
    assert facts["CISO-2020"][DIRECT] == 100
    assert facts["CISO-2020"]["nulls"] == 8784, "biomass is not known in any hour"
    assert facts["CISO-2020"]["path"] == "hourly/carboncast/zone=CISO/year=2020/hours.parquet"


def test_one_partition_is_materialized_alone(tmp_path: Path) -> None:
    result = run(tmp_path, [asset()], partition_key="CISO-2021")
    assert result.success
    assert written(tmp_path) == ["carboncast/zone=CISO/year=2021/hours.parquet"]
    assert list(materialized(result)) == ["CISO-2021"]


def test_an_absent_file_fails_its_partitions_after_the_others_are_written(tmp_path: Path) -> None:
    one = asset({"AUS_QLD": b""})
    result = run(tmp_path, [one], tags=hourly_assets.every_partition(one))
    assert not result.success
    assert written(tmp_path) == ["carboncast/zone=AUS_QLD/year=2020/hours.parquet"]
    assert list(materialized(result)) == ["AUS_QLD-2020"]
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    says = failure.step_failure_data.error_display_string
    assert "lacks 2 partitions" in says
    assert "CISO-2020: CISO.csv absent" in says
    assert "CISO-2021: CISO.csv absent" in says


def test_the_same_hours_are_the_same_bytes_and_nothing_is_left_beside_them(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "hours.parquet", tmp_path / "b" / "hours.parquet"
    hourly_assets.write(hours(), first, "x")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "hours.partial").write_bytes(b"of a run that was killed")
    hourly_assets.write(hours(), second, "x")
    assert first.read_bytes() == second.read_bytes()
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["hours.parquet"]


def test_a_run_that_dies_while_it_writes_leaves_the_earlier_hours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = hourly_assets.path_of(tmp_path, "carboncast", "CISO", 2020)
    hourly_assets.write(hours(), path, "x")
    before = path.read_bytes()

    def dies(descriptor: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("pipelines.ingestion.hourly_assets.os.fsync", dies)
    with pytest.raises(OSError, match="No space left"):
        hourly_assets.write(hours(count=5), path, "x")
    assert path.read_bytes() == before


def test_duckdb_and_polars_read_zone_and_year_from_the_folders(tmp_path: Path) -> None:
    for zone, year in (("CISO", 2020), ("AUS_QLD", 2021)):
        hourly_assets.write(
            hours(zone, year, count=3), hourly_assets.path_of(tmp_path, "carboncast", zone, year), "x"
        )
    pattern = f"{tmp_path}/hourly/carboncast/*/*/hours.parquet"
    rows = duckdb.execute(
        "select zone, year, count(*), max(hour_utc) from read_parquet(?, hive_partitioning = true) "
        "group by all order by all",
        [pattern],
    ).fetchall()
    assert rows == [("AUS_QLD", 2021, 3, datetime(2021, 1, 1, 2)), ("CISO", 2020, 3, datetime(2020, 1, 1, 2))]
    scanned = (
        pl.scan_parquet(pattern, hive_partitioning=True)
        .select("zone", "year")
        .unique()
        .sort("zone")
        .collect()
    )
    assert scanned.rows() == [("AUS_QLD", 2021), ("CISO", 2020)]


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


def test_hours_are_outdated_when_their_files_or_the_code_changed_or_they_are_damaged(tmp_path: Path) -> None:
    path = hourly_assets.path_of(tmp_path, "carboncast", "CISO", 2020)
    assert hourly_assets.is_outdated(path, "x"), "there are none"
    hourly_assets.write(hours(), path, "x")
    assert not hourly_assets.is_outdated(path, "x")
    assert hourly_assets.is_outdated(path, "y")
    path.write_bytes(path.read_bytes()[:-100])
    assert hourly_assets.is_outdated(path, "x")


def test_the_hours_are_written_weekly_before_the_build_and_each_partition_in_one_run() -> None:
    schedules = [s for s in defs.schedules or [] if isinstance(s, dg.ScheduleDefinition)]
    found = {schedule.job_name: schedule for schedule in schedules}
    assert {name: schedule.cron_schedule for name, schedule in found.items()} == {
        "build": "0 4 * * 1",
        "hourly_carboncast": "30 3 * * 1",
        "hourly_eia930": "30 3 * * 1",
    }
    (request,) = found["hourly_eia930"].evaluate_tick(dg.build_schedule_context()).run_requests or []
    assert request.tags["dagster/asset_partition_range_start"] == eia930_hourly.PARTITIONS[0]
    assert request.tags["dagster/asset_partition_range_end"] == eia930_hourly.PARTITIONS[-1]


def test_partitions_name_each_zone_and_year_once() -> None:
    both = [carboncast_hourly.PARTITIONS, eia930_hourly.PARTITIONS]
    assert [len(set(partitions)) for partitions in both] == [26, 8]
    assert all(partition.count("-") == 1 for partitions in both for partition in partitions)


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
    return model("out.hourly_comparison", rows).to_dicts()


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
