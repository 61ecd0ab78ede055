"""At which hour of the day a run would have emitted least, by the typical day of a month in each grid.

Belongs here: comparing starts. Does not belong here: how the means of hours come about (hourly.py, sources/),
locations by the year (where.py), or printing (cli/answers.py).
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ote.errors import Error

DAY = 24
DAYS = """
select source, zone, year, json_extract(lifecycle_by_hour, '$[' || ($month - 1) || ']') as hours
from read_csv($files, union_by_name = true, all_varchar = true)
where year = $year::varchar
order by source, zone
"""
# The first and the last month of each source and year; a month without hours is null.
MONTHS = """
with months as (
    select source, zone, year, unnest(range(1, 13)) as month, lifecycle_by_hour
    from read_csv($1, union_by_name = true, all_varchar = true)
)
select source, year, min(month), max(month), string_agg(distinct zone, ', ' order by zone)
from months
where json_extract_string(lifecycle_by_hour, '$[' || (month - 1) || ']') is not null
group by source, year
order by year, source
"""


class NoHoursError(Error):
    """No grid has the hours of this month; the message says which months and grids there are."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """The best hour of the day (UTC) to start in one grid, beside the mean and the worst one.

    Intensities are lifecycle means over the run, in g/kWh, as if each of its days were the month's mean day.
    """

    source: str
    zone: str
    start_hour_utc: int
    best_g_per_kwh: float
    mean_g_per_kwh: float
    worst_g_per_kwh: float

    @property
    def saved_fraction(self) -> float:
        """What the best start saves against one at any hour of the day."""
        return 1 - self.best_g_per_kwh / self.mean_g_per_kwh if self.mean_g_per_kwh else 0.0


def best_starts(baseline: Path, year: int, month: int, hours: float) -> list[Start]:
    """The best hour to start in each grid for a run of some hours at even power, cleanest grid first.

    Args:
        baseline: the folder of the accepted rows; the hourly sources have the mean of each hour of a month.
        year: of the hours.
        month: 1 to 12.
        hours: length of the run; a begun hour counts whole.

    Raises:
        NoHoursError: no grid has the hours of this month.
    """
    files = sorted(str(file) for file in baseline.glob("*_hourly.csv"))
    asked = {"files": files, "year": year, "month": month}
    rows = duckdb.execute(DAYS, asked).fetchall() if files else []
    days = [(source, zone, json.loads(known)) for source, zone, _, known in rows if known != "null"]
    if not days:
        raise NoHoursError(_without_hours(files, year, month))
    starts = [_start(source, zone, day, math.ceil(hours)) for source, zone, day in days]
    return sorted(starts, key=lambda start: (start.best_g_per_kwh, start.source, start.zone))


def _without_hours(files: list[str], year: int, month: int) -> str:
    """Which months and grids there are instead of a month that no grid has, and which one to give."""
    rows = duckdb.execute(MONTHS, [files]).fetchall() if files else []
    if not rows:
        return f"No hourly data for {year}-{month:02}: there are no hourly data at all."
    years = sorted({int(year) for _, year, *_ in rows})
    lines = [
        f"No hourly data for {year}-{month:02}. There are hourly data for {', '.join(map(str, years))}.",
        *(f"{y}-{first:02} to {y}-{last:02}: {zones} ({source})" for source, y, first, last, zones in rows),
    ]
    _, newest, first, last, _ = max(rows, key=lambda row: (row[1], row[2] <= month <= row[3]))
    same = month if first <= month <= last else last
    lines.append(f"Give one of these months, such as --month {newest}-{same:02}.")
    return "\n".join(lines)


def _start(source: str, zone: str, day: list[float], hours: int) -> Start:
    """The starts of a run in one grid; whole days weigh every hour alike, so the rest of a day decides."""
    whole, rest = divmod(hours, DAY)
    of_days = sum(day) * whole
    means = [
        (of_days + sum(day[(start + hour) % DAY] for hour in range(rest))) / hours for start in range(DAY)
    ]
    best = min(range(DAY), key=lambda start: (round(means[start], 9), start))
    return Start(
        source=source,
        zone=zone,
        start_hour_utc=best,
        best_g_per_kwh=means[best],
        mean_g_per_kwh=sum(means) / DAY,
        worst_g_per_kwh=max(means),
    )
