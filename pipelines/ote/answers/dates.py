"""Days and times as logs and spreadsheets write them.

Belongs here: reading what is written. Does not belong here: which of a tool's times is the start
(codecarbon.py, trackers.py, accounting.py).
"""

import re
from datetime import UTC, datetime

TIMES = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d",
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%d %b %Y %H:%M:%S", "%d %b %Y %H:%M", "%d %b %Y",
    "%d-%b-%Y", "%b %d %Y %H:%M:%S", "%b %d, %Y", "%a %b %d %H:%M:%S %Y", "%Y%m%dT%H%M%S", "%Y%m%d",
)  # fmt: skip
# As spreadsheets of the United States and of most other countries write it; which one, the numbers may say.
SLASHED = r"(\d\d?)/(\d\d?)/(\d{4})(?:[ ,]+(\d\d?):(\d\d)(?::(\d\d))?(?:\.\d+)?\s*([AaPp][Mm])?)?"


def moment(written: str) -> datetime | None:
    """A time without its zone; None if it is none, or its day and month cannot be told apart."""
    if re.fullmatch(r"\d{10}(\.\d+)?", written):
        return datetime.fromtimestamp(float(written), UTC).replace(tzinfo=None)
    try:
        return datetime.fromisoformat(written).replace(tzinfo=None)
    except ValueError:
        pass
    if found := re.fullmatch(SLASHED, written):
        return _slashed(found)
    for pattern in TIMES:
        try:
            return datetime.strptime(written, pattern)
        except ValueError:
            continue
    return None


def day(written: str) -> str:
    """The day of a time, or its year where day and month cannot be told apart; empty if it is none."""
    if time := moment(written):
        return time.date().isoformat()
    found = re.fullmatch(SLASHED, written)
    return found[3] if found and int(found[1]) <= 12 and int(found[2]) <= 12 else ""


def unclear(column: str, written: str) -> str:
    """What to say of a time whose day and month cannot be told apart, such as 02/03/2024; else empty."""
    year = day(written)
    if len(year) != len("2024"):
        return ""
    return (
        f"{column} may be written day first or month first, so only its year, {year}, is used. Write the "
        f"year first in the log, such as {year}-12-31."
    )


def _slashed(found: re.Match[str]) -> datetime | None:
    first, second, year = int(found[1]), int(found[2]), int(found[3])
    if first <= 12 and second <= 12 and first != second:
        return None
    month, day_of_month = (second, first) if first > 12 else (first, second)
    hour = int(found[4] or 0) % 12 + 12 * (found[7].lower() == "pm") if found[7] else int(found[4] or 0)
    try:
        return datetime(year, month, day_of_month, hour, int(found[5] or 0), int(found[6] or 0))
    except ValueError:
        return None
