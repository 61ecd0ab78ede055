"""The best hour of the day to start, worked by hand from the mean day of a month."""

import json
import math
from pathlib import Path

import pytest

from ote import catalog
from ote.answers import when
from ote.ingestion import baseline
from tests.conftest import BASELINE

# 300 g/kWh by day and 100 from 22 to 1 h: a night over midnight.
NIGHT = [100.0 if hour in (22, 23, 0, 1) else 300.0 for hour in range(24)]
MEAN = (4 * 100 + 20 * 300) / 24


def accepted(folder: Path, *grids: tuple[str, str, int, list[list[float] | None]]) -> Path:
    """Accepted rows that hold only what is asked for: source, zone, year and the days of its months."""
    for source in {grid[0] for grid in grids}:
        rows = [
            f'{name},{zone},{year},"{json.dumps(days)}"' for name, zone, year, days in grids if name == source
        ]
        lines = ["source,zone,year,lifecycle_by_hour", *rows]
        (folder / f"{source}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def months(day: list[float] | None, month: int = 7) -> list[list[float] | None]:
    return [day if number == month else None for number in range(1, 13)]


@pytest.mark.parametrize(
    ("hours", "best_hour", "best", "worst"),
    [
        (1, 0, 100, 300),  # four hours are alike: the first of the day
        (0.2, 0, 100, 300),  # a begun hour counts whole
        (4, 22, 100, 300),  # over midnight
        (6, 20, (4 * 100 + 2 * 300) / 6, 300),  # as 21 and 22: the first of them
        (24, 0, MEAN, MEAN),  # each hour of the day once, whenever it starts
        (28, 22, (4 * 100 + 24 * MEAN) / 28, (4 * 300 + 24 * MEAN) / 28),
        (24 * 365, 0, MEAN, MEAN),
    ],
)
def test_a_run_starts_where_its_hours_are_cleanest(
    tmp_path: Path, hours: float, best_hour: int, best: float, worst: float
) -> None:
    folder = accepted(tmp_path, ("a_hourly", "AA", 2022, months(NIGHT)))
    (start,) = when.best_starts(folder, 2022, 7, hours)
    assert (start.source, start.zone, start.start_hour_utc) == ("a_hourly", "AA", best_hour)
    assert start.best_g_per_kwh == pytest.approx(best)
    assert start.worst_g_per_kwh == pytest.approx(worst)
    assert start.mean_g_per_kwh == pytest.approx(MEAN)
    assert start.saved_fraction == pytest.approx(1 - best / MEAN)


def test_grids_come_cleanest_first_and_those_that_do_not_know_the_month_are_left_out(tmp_path: Path) -> None:
    flat = months([200.0] * 24)
    folder = accepted(
        tmp_path,
        ("b_hourly", "B", 2022, flat),
        ("a_hourly", "C", 2022, flat),
        ("a_hourly", "A", 2022, months(NIGHT)),
        ("a_hourly", "other year", 2021, months([1.0] * 24)),
        ("a_hourly", "other month", 2022, months([1.0] * 24, month=8)),
    )
    assert [start.zone for start in when.best_starts(folder, 2022, 7, 3)] == ["A", "C", "B"]
    assert [start.zone for start in when.best_starts(folder, 2022, 8, 3)] == ["other month"]


def test_a_grid_without_emissions_saves_nothing(tmp_path: Path) -> None:
    folder = accepted(tmp_path, ("a_hourly", "A", 2022, months([0.0] * 24)))
    (start,) = when.best_starts(folder, 2022, 7, 3)
    assert (start.best_g_per_kwh, start.saved_fraction) == (0, 0)


def test_a_month_that_no_grid_knows_is_said_with_the_years_there_are(tmp_path: Path) -> None:
    with pytest.raises(
        when.NoHoursError, match="No hourly data for 2022-07: there are no hourly data at all"
    ):
        when.best_starts(tmp_path, 2022, 7, 3)
    folder = accepted(tmp_path, *(("a_hourly", "A", year, months(NIGHT)) for year in (2021, 2022)))
    with pytest.raises(
        when.NoHoursError, match=r"No hourly data for 2030-07\. There are hourly data for 2021, 2022"
    ):
        when.best_starts(folder, 2030, 7, 3)
    with pytest.raises(when.NoHoursError, match="No hourly data for 2022-01"):
        when.best_starts(folder, 2022, 1, 3)


def test_the_accepted_rows_have_a_day_for_every_month_that_has_a_mean() -> None:
    """And the mean of its hours is that of the month, but for days that miss hours."""
    found = 0
    for name in ("carboncast_hourly", "eia930_hourly"):
        rows, _ = baseline.load(BASELINE, catalog.sources()[name])
        for row in rows.to_dicts():
            days = json.loads(row["lifecycle_by_hour"])
            for mean, day in zip(json.loads(row["lifecycle_by_month"]), days, strict=True):
                assert (mean is None) == (day is None)
                if day:
                    found += 1
                    assert len(day) == 24
                    assert math.fsum(day) / 24 == pytest.approx(mean, rel=0.005)
    assert found > 300
