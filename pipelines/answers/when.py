"""When in a month a run would have emitted least: the hours of each grid, averaged over its length.

Belongs here: reading the hours of a built warehouse and comparing starts. Does not belong here: how hours
come about (hourly.py, sources/), places by the year (where.py), or printing (cli/answers.py).
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

# Windows with a gap are left out: a mean over fewer hours would be another run. Both sources have lifecycle.
STARTS = """
with hours as (
    select split_part(filename, '/', -4) as source, zone, hour_utc,
        carbon_intensity_lifecycle_g_per_kwh as g_per_kwh
    from read_parquet($files, filename = true, hive_partitioning = false)
    where hour_utc >= $first and hour_utc < $last + to_hours($hours::bigint)
        and carbon_intensity_lifecycle_g_per_kwh is not null
),
windows as (
    select source, zone, hour_utc as start_utc,
        avg(g_per_kwh) over run as mean_g_per_kwh,
        count(*) over run as observed_hours
    from hours
    window run as (
        partition by source, zone order by hour_utc
        range between current row and to_hours($hours::bigint - 1) following
    )
)
select source, zone, min_by(start_utc, (mean_g_per_kwh, start_utc)), min(mean_g_per_kwh), avg(mean_g_per_kwh),
    max(mean_g_per_kwh), count(*)
from windows
where start_utc < $last and observed_hours = $hours
group by source, zone
order by min(mean_g_per_kwh), source, zone
"""


class NoHoursError(Exception):
    """The warehouse has no hours of this month; the message says which months it has."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """The best start in one grid, with what the mean and the worst start of the month come to.

    Intensities are lifecycle means over the run, in g/kWh. starts: hours of the month from which the whole
    run is covered by hours that are known.
    """

    source: str
    zone: str
    start_utc: datetime
    best_g_per_kwh: float
    mean_g_per_kwh: float
    worst_g_per_kwh: float
    starts: int

    @property
    def saved_fraction(self) -> float:
        """What the best start saves against one at any hour of the month."""
        return 1 - self.best_g_per_kwh / self.mean_g_per_kwh if self.mean_g_per_kwh else 0.0


def best_starts(hourly: Path, month: datetime, hours: float) -> list[Start]:
    """The best start in each grid for a run of some hours at even power, cleanest grid first.

    Args:
        hourly: the folder of the hours, one file a zone and year.
        month: its first instant, UTC.
        hours: length of the run; a begun hour counts whole.

    Raises:
        NoHoursError: no grid has hours for a whole run that starts in this month.
    """
    files = sorted(str(file) for file in hourly.glob("*/zone=*/year=*/hours.parquet"))
    following = (month + timedelta(days=32)).replace(day=1)
    rows = (
        duckdb.execute(
            STARTS, {"files": files, "first": month, "last": following, "hours": math.ceil(hours)}
        ).fetchall()
        if files
        else []
    )
    if not rows:
        years = sorted({Path(file).parent.name.removeprefix("year=") for file in files})
        held = (
            f"it holds the years {', '.join(years)}"
            if years
            else "it holds none: run `ote build` with a network"
        )
        raise NoHoursError(
            f"No hours for a run of {hours:g} h that starts in {month:%Y-%m}, below {hourly.name}/: {held}."
        )
    return [
        Start(
            source=source,
            zone=zone,
            start_utc=start,
            best_g_per_kwh=best,
            mean_g_per_kwh=mean,
            worst_g_per_kwh=worst,
            starts=starts,
        )
        for source, zone, start, best, mean, worst, starts in rows
    ]
