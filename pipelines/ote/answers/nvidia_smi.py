"""Logs of nvidia-smi as runs: the power of each GPU, integrated over time.

Belongs here: which sample is of which GPU, and the time between samples. Does not belong here: trackers that
give energies (trackers.py), or which tool wrote a file (imports.py).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean, median

from ote.answers import delimited, quantities
from ote.answers.delimited import BadCellError, Place, Reject, Row, Table
from ote.answers.trackers import (
    EXAMPLE_BY_HAND,
    SECONDS_PER_HOUR,
    Part,
    Placed,
    UnknownUnitError,
    counted_as,
    named_after,
    refuse_power,
    text_of,
)

SMI = "nvidia-smi --query-gpu=timestamp,index,name,power.draw --format=csv -l 1"
DMON = r"^#\s*Date\s+Time\s+gpu\b.*\bpwr\b"  # nvidia-smi dmon -o DT
OTHER_FORMS = r"NVIDIA-SMI|^#\s*(?:gpu|Date\s+Time\s+gpu)\b|^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d+,"
PREFIXED = r"^[\w.-]+: (?:timestamp,|\d{4}/\d\d/\d\d )"
PREFIX = (
    "nvidia-smi by pdsh, which puts the name of a machine before each line. Write the lines of each machine "
    "to a file without it, such as sed -n 's/^node01: //p' FILE > node01.csv, and import each file"
)
UNCLEAR = (
    "several GPUs, and no column says which row is of which GPU. Add a column index with the number of the "
    f"GPU to each row, or log with {SMI}"
)
# What the cells of a log without a header look like, by column.
CELLS = (
    ("timestamp", r"\d{4}/\d\d/\d\d .*"),
    ("uuid", "GPU-[0-9a-f-]+"),
    ("pci.bus_id", "[0-9A-Fa-f]+:[0-9A-Fa-f]+:.*"),
    ("power.draw [W]", r"\d+\.\d+(?: W)?|\[.*\]"),
    ("utilization.gpu [%]", r"\d+ %"),
    ("memory.used [MiB]", r"\d+ MiB"),
    ("index", r"\d\d?"),
    ("name", "[A-Z].*"),
)
TIMES = ("%Y/%m/%d %H:%M:%S.%f", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S",
         "%Y%m%d %H:%M:%S")  # fmt: skip
POWERS = ("power.draw [W]", "power.draw", "power.draw.average [W]", "power.draw.instant [W]")
UNITS_W = {"mW": 1e-3, "W": 1.0, "kW": 1e3}
UNIQUE = ("uuid", "gpu_uuid", "serial", "gpu_serial")  # no two GPUs share one, on any machine
HOSTS = ("hostname", "host", "node", "nodename", "machine", "server")  # columns that a log is given by hand
IDENTITIES = ("uuid", "gpu_uuid", "index", "pci.bus_id", "gpu_bus_id", "serial", "gpu_serial")
# A pause of more than a minute and of ten samples: the log was stopped and started again.
PAUSE_S, PAUSE_SAMPLES, SHOWN_PAUSES = 60, 10, 3
SHOWN_REASONS = 3  # for which samples of a GPU are not used
MOST_FILLED = 0.5  # of the time of the GPUs: below, samples that were not read are at the mean of those read
# Times of the GPUs of one moment differ by some ms; those of the next moment are five times as far away.
MOST_GPUS, MOST_LOOP_S, MOST_WITHIN_S, APART = 16, 600, 0.5, 5
# Without an identity, steps of one GPU are alike, and longer than the time that several GPUs take one by one.
LEAST_STEP_S, ALIKE = 0.2, 2
# Steps of several machines in one log; of powers in turns, nine in ten are above nine in ten of another turn.
MOST_MACHINES, LEAST_TURNS, TURNS_APART, MOST_OF_A_TURN = 8, 10, 1.5, 0.9
EVEN = 1.02  # steps of one GPU whose power alternates; two machines would have to start half a step apart
SUNDAY, NIGHT_ENDS, CLOCKS_BACK = 6, 4, (4, 10, 11)  # weekday, hour and months of the end of summer time
METERING = "power of the GPUs alone, read by nvidia-smi; processors, memory, fans and network not included"


Draw = tuple[datetime, float | None]
Span = tuple[Draw, Draw]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The power of one GPU at one moment; None where it was not read."""

    name: str
    gpu: str
    time: datetime
    watts: float | None


def runs(text: str, file: str, _: float | None, __: bool) -> Iterator[Part]:
    """Log of nvidia-smi --query-gpu=timestamp,name,power.draw, or of dmon: a run for each kind of GPU."""
    table = _dmon(text) if re.search(DMON, text, re.MULTILINE) else delimited.parse(text, ",")
    yield from delimited.lines_without_rows(table.asides)
    yield from table.rejects
    power = next((name for name in POWERS if name in table.header), None)
    if power is None or "timestamp" not in table.header:
        without = f"no timestamp or no power.draw in W; log with {SMI}"
        says = PREFIX if re.match(PREFIXED, text.lstrip()) else without
        raise UnknownUnitError(f"{file}: {says}. {EXAMPLE_BY_HAND}")
    samples: list[Sample] = []
    unused: dict[tuple[str, str, str], list[Reject]] = {}  # by kind of GPU, GPU and column
    for place, row, gpu in _with_gpus(table.rows, file):
        name = row.get("name") or row.get("gpu_name") or ""
        sample = None
        try:
            sample = Sample(name=name, gpu=gpu, time=_time(row), watts=None)
            sample = replace(sample, watts=_watts(row, power, name))
        except BadCellError as error:
            reject = Reject(place=place, column=error.column, reason=error.reason)
            unused.setdefault((name, gpu, error.column), []).append(reject)
        if sample:
            samples.append(sample)
    read = Counter((sample.name, sample.gpu) for sample in samples if sample.watts is not None)
    yield from _unused(unused, read)
    of_gpus: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        of_gpus.setdefault((sample.name, sample.gpu), []).append(sample)
    notes: list[str] = []
    samples = [sample for key in read for sample in _without_clock_change(of_gpus[key], notes)]
    yield from dict.fromkeys(notes)
    once = [*dict.fromkeys(samples)]
    if again := len(samples) - len(once):
        yield f"Samples that are in the log more than once, and count once: {again:,}."
    yield from _refuse_several_machines(once, file, _identity(table.rows), _host(table.rows))
    by_name: dict[str, dict[str, list[Draw]]] = {}
    for sample in once:
        by_name.setdefault(sample.name, {}).setdefault(sample.gpu, []).append((sample.time, sample.watts))
    if not _identity(table.rows) and [len(gpus) for gpus in by_name.values()] == [1]:
        yield (
            "Counted as 1 GPU, as each moment has one sample and no column names the GPU. If the log is of "
            f"several, log with {SMI}"
        )
    for name, gpus in sorted(by_name.items()):
        unread = len({gpu for kind, gpu, _ in unused if kind == name and gpu not in gpus})
        draws = [sorted(each, key=lambda draw: draw[0]) for each in gpus.values()]
        yield from _run(name, draws, unread, file)


def _dmon(text: str) -> Table:
    """The times, GPUs and powers of `nvidia-smi dmon -o DT`, by its headers, which come again and again."""
    table = Table(header=["timestamp", "index", POWERS[0]])
    names: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        cells = line.strip("#\0 \r").split()
        place = Place(line=number, row=len(table.rows) + len(table.rejects) + 1)
        if delimited.is_only_nul(line):
            table.asides.append((number, delimited.ONLY_NUL))
        elif line.lstrip().startswith("#"):
            names = cells if "gpu" in cells else names  # else the line of units
        elif cells and len(cells) != len(names):
            table.rejects.append(Reject(place=place, reason=f"{line.strip()!r}: {delimited.HALF_LINE}"))
        elif cells:
            row = dict(zip(names, cells, strict=True))
            time = f"{row['Date']} {row['Time']}"
            table.rows.append((place, {"timestamp": time, "index": row["gpu"], POWERS[0]: row["pwr"]}))
    return table


def without_header(text: str) -> str:
    """The line to put on top of a log whose header is missing; empty of any other text."""
    cells = [cell.strip() for cell in text.lstrip("\0\n ").split("\n", 1)[0].split(",")]
    if not re.fullmatch(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d+", cells[0]):
        return ""
    names: list[str] = []
    for number, cell in enumerate(cells, start=1):
        fitting = (name for name, form in CELLS if re.fullmatch(form, cell) and name not in names)
        names.append(next(fitting, f"column {number}"))
    if POWERS[0] not in names:
        return ""
    return (
        f"a log of nvidia-smi without its header. Put this line on top, and change its order if the columns "
        f"of the log have another: {', '.join(names)}"
    )


def _unused(
    unused: Mapping[tuple[str, str, str], list[Reject]], read: Mapping[tuple[str, str], int]
) -> Iterator[Reject]:
    """One reject for the samples of a GPU that are not used; a GPU that was never read is a loss."""
    for (name, gpu, _), rejects in unused.items():
        first, count = rejects[0], len(rejects)
        reasons = Counter(reject.reason for reject in rejects)
        said = [f"{reason} ({times:,})" for reason, times in reasons.most_common(SHOWN_REASONS)]
        total = count + read.get((name, gpu), 0)
        which = f"GPU {gpu}" if gpu else "a GPU"
        lost = "" if total > count else "; this GPU is not in the energy"
        yield replace(
            first,
            reason=f"{count:,} of {total:,} samples of {which} are not used: "
            f"{first.reason if len(reasons) == 1 else '; '.join(said)}{lost}",
            is_part=total > count,
        )


def _run(name: str, gpus: list[list[Draw]], unread: int, file: str) -> Iterator[Part]:
    spans, pauses = zip(*map(_spans, gpus), strict=True)
    seconds = sum(map(_seconds, spans))
    if not seconds:
        yield f"{name or 'GPU'}: a single moment was logged, which has no duration; left out."
        return
    hours = seconds / len(gpus) / SECONDS_PER_HOUR
    notes: list[str] = []
    filled = sum(map(_unread_seconds, spans)) / seconds
    run = {
        "model": named_after(file),
        **counted_as(name, len(gpus), hours, "driver", notes),
        "training_hours": text_of(hours),
        "started": min(draws[0][0] for draws in gpus).date().isoformat(),
    }
    share = f"{quantities.significant(100 * filled, 2)} % of the time of the GPUs"
    if filled > MOST_FILLED:
        notes.append(
            f"the power was not read in {share}, so the energy is not taken as measured; an estimate uses "
            "the hours of the log and the usual power of the accelerator."
        )
    else:
        of_the_log = f"the power in {share} was not read, and is the mean of the same GPU while it was read"
        metering = [METERING, *[f"{unread} of {len(gpus) + unread} GPUs not read"] * bool(unread)]
        run["metering"] = "; ".join([*metering, *[of_the_log] * bool(filled)])
        run["energy_kwh"] = text_of(sum(map(_integral_kwh, spans, map(_mean_watts, gpus))))
        notes += [f"{of_the_log}."] * bool(filled)
    yield Placed(run=run)
    yield from (f"{name or 'GPU'}: {note}" for note in notes)
    if most := max(pauses, key=len):
        yield f"{name or 'GPU'}: {_named_pauses(most)}, not counted as time or energy."
    of = quantities.counted(len(gpus), "GPU")
    if filled <= MOST_FILLED:
        yield f"{name or 'GPU'}: power of {of} alone; the host is not in the energy."


def _refuse_several_machines(
    samples: Sequence[Sample], file: str, identity: str | None, host: str | None
) -> Iterator[str]:
    """Refuse a log in which one GPU is read twice at each moment: an index is one GPU of each machine.

    Where a column names one GPU of all machines, its steps and powers may come in turns; its powers alone
    also where an index and even steps say that it is one GPU, which is noted.

    Raises:
        UnknownUnitError: times of one GPU go back into its past, or its steps or powers come in turns.
    """
    is_unique = identity in UNIQUE or (identity and host)
    of_gpus: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        of_gpus.setdefault((sample.name, sample.gpu), []).append(sample)
    for (name, gpu), each in of_gpus.items():
        parts = _rising([sample.time for sample in each])
        joined = any(before[-1] >= after[0] for before, after in pairwise(sorted(parts)))
        alternates = _powers_in_turns([draw.watts for draw in each if draw.watts])
        apart = EVEN if alternates else TURNS_APART
        is_coarse = not any(sample.time.microsecond for sample in each)
        in_turns = any(_in_turns(part, apart) for part in parts) or (
            alternates and (is_coarse or not identity)
        )
        which = f"{file}: {name or 'GPU'} {gpu}"
        if joined and is_unique:
            raise UnknownUnitError(
                f"{which}: its times go back and overlap, as where two logs of one GPU were joined or a "
                "clock was set back. Keep one log of each time."
            )
        if is_unique or not (joined or in_turns):
            if alternates and not is_unique:
                yield (
                    f"{name or 'GPU'} {gpu}: its powers come in turns at even steps, so it counts as one "
                    "GPU. If the log is of several machines, import the log of each machine alone."
                )
            continue
        if not identity:
            raise UnknownUnitError(f"{file}: {UNCLEAR}")
        how = "is read more than once at each moment" if joined else "has powers or times in turns"
        raise UnknownUnitError(
            f"{which} {how}, as in a log of several machines. Import the log of each machine alone, or log "
            "uuid instead of index."
        )


def _without_clock_change(samples: Sequence[Sample], notes: list[str]) -> list[Sample]:
    """The samples of a GPU, with the hour that the end of summer time gives twice as two hours.

    The clock goes back by an hour on a Sunday of October or November, south of the equator of April, before
    four o'clock, and one more hour would make the step one of the log.
    """
    steps = [(after.time - before.time).total_seconds() for before, after in pairwise(samples)]
    usual = median([step for step in steps if step > 0] or [0])
    later, forward = timedelta(), []
    for sample, step in zip(samples, [0.0, *steps], strict=True):
        is_night = sample.time.weekday() == SUNDAY and sample.time.hour < NIGHT_ENDS
        is_next = 0 < usual / ALIKE <= step + SECONDS_PER_HOUR <= usual * ALIKE
        if step < 0 and is_next and is_night and sample.time.month in CLOCKS_BACK:
            later += timedelta(hours=1)
            notes.append(
                f"The time goes back by an hour on {sample.time:%Y-%m-%d}, as at the end of summer time: "
                "both hours count."
            )
        elif is_night and sample.time.month in CLOCKS_BACK and abs(step + SECONDS_PER_HOUR) <= usual * ALIKE:
            notes.append(
                f"The time goes back by an hour on {sample.time:%Y-%m-%d}: taken as a second log of the same "
                "hour, whose equal samples count once. If the clock was set back at the end of summer time, "
                "add an hour to each later time of the log."
            )
        forward.append(replace(sample, time=sample.time + later))
    return forward


def _rising(times: Sequence[datetime]) -> list[list[datetime]]:
    """The parts of a log in which time goes on."""
    parts = [[times[0]]]
    for before, after in pairwise(times):
        if after > before:
            parts[-1].append(after)
        else:
            parts.append([after])
    return parts


def _in_turns(times: Sequence[datetime], apart: float) -> bool:
    """Whether the steps come in turns of unlike length, as of several machines: 0.4 s, 9.6 s, 0.4 s."""
    steps = [(after - before).total_seconds() for before, after in pairwise(times)]
    for machines in range(2, MOST_MACHINES + 1):
        turns = [steps[first::machines] for first in range(machines)]
        if len(turns[-1]) < LEAST_TURNS:
            return False
        usual = [median(turn) for turn in turns]
        if max(usual) > apart * min(usual):
            return True
    return False


def _powers_in_turns(watts: Sequence[float]) -> bool:
    """Whether the powers come in turns of unlike size, as of several GPUs: 300 W, 340 W, 300 W."""
    for gpus in range(2, MOST_GPUS + 1):
        turns = [sorted(watts[first::gpus]) for first in range(gpus)]
        if len(turns[-1]) < LEAST_TURNS:
            return False
        low = max(turn[round((1 - MOST_OF_A_TURN) * (len(turn) - 1))] for turn in turns)
        high = min(turn[round(MOST_OF_A_TURN * (len(turn) - 1))] for turn in turns)
        if low > high:
            return True
    return False


def _identity(rows: Sequence[tuple[Place, Row]]) -> str | None:
    """The column that names the GPU of each row."""
    return next((name for name in IDENTITIES if rows and rows[0][1].get(name)), None)


def _host(rows: Sequence[tuple[Place, Row]]) -> str | None:
    """The column that names the machine of each row."""
    return next((name for name in HOSTS if rows and rows[0][1].get(name)), None)


def _with_gpus(rows: Sequence[tuple[Place, Row]], file: str) -> Iterator[tuple[Place, Row, str]]:
    """Each row with the identity of its GPU, on its machine where a column names that."""
    host = _host(rows)
    machines: dict[str, list[tuple[Place, Row]]] = {}
    for place, row in rows:
        machines.setdefault(row[host] if host else "", []).append((place, row))
    for machine, each in machines.items():
        for place, row, gpu in _with_gpus_of_one(each, file):
            yield place, row, f"{machine} {gpu}".strip()


def _with_gpus_of_one(rows: Sequence[tuple[Place, Row]], file: str) -> Iterator[tuple[Place, Row, str]]:
    """Each row with the identity of its GPU: its column, else its position among the rows of a moment.

    Raises:
        UnknownUnitError: there is no such column, and the rows do not come in equal rounds.
    """
    if column := _identity(rows):
        yield from ((place, row, row[column]) for place, row in rows)
        return
    good: list[tuple[Place, Row, datetime]] = []
    for place, row in rows:
        try:
            good.append((place, row, _time(row)))
        except BadCellError:
            yield place, row, ""  # named where its cells are read
    rounds = _rounds([time for _, _, time in good])
    if rounds is None:
        raise UnknownUnitError(f"{file}: {UNCLEAR}")
    sizes = Counter(size for number, size in Counter(rounds).items() if number not in (0, rounds[-1]))
    usual = sizes.most_common(1)[0][0] if sizes else 1
    if sum(count for size, count in sizes.items() if size != usual) > 0.1 * sum(sizes.values()):
        raise UnknownUnitError(f"{file}: {UNCLEAR}")
    seen: Counter[int] = Counter()
    for (place, row, _), number in zip(good, rounds, strict=True):
        yield place, row, str(seen[number])
        seen[number] += 1


def _rounds(times: Sequence[datetime]) -> list[int] | None:
    """The number of the moment that each row is of: rows of one are much closer than those of two.

    None where the times do not tell moments apart, nor that there is one GPU alone.
    """
    steps = [(after - before).total_seconds() for before, after in pairwise(times)]
    sizes = sorted(step for step in steps if step > 0)
    within = 0.0
    for number, (small, large) in enumerate(pairwise(sizes), start=1):
        is_split = small < MOST_WITHIN_S and large >= APART * small and large <= MOST_LOOP_S
        if is_split and (len(sizes) - number) * MOST_GPUS >= len(sizes):
            within = small
    usual = median(sizes) if sizes else 0
    unlike = sum(not usual / ALIKE <= step <= usual * ALIKE for step in sizes)
    if not within and (unlike > 0.1 * len(sizes) or 0 < usual < LEAST_STEP_S):
        return None
    rounds = [0] if times else []
    for step in steps:
        rounds.append(rounds[-1] + (step > within or step < 0))
    return rounds


def _time(row: Row) -> datetime:
    written = row["timestamp"]
    for pattern in TIMES:
        try:
            return datetime.strptime(written, pattern)
        except ValueError:
            continue
    raise BadCellError("timestamp", f"{written!r}, expected a time such as 2025/01/03 00:00:00.000")


def _watts(row: Row, column: str, name: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+|,\d\d)?)(?: ?([mk]?W))?", row[column])
    # A spreadsheet writes "60,00 W".
    watts = float(found[1].replace(",", ".")) * UNITS_W[found[2] or "W"] if found else 0.0
    if not watts:  # what is exactly 0 was not read
        raise BadCellError(column, f"{row[column]!r}: the power was not read; expected W")
    refuse_power(column, watts, name)
    return watts


def _spans(draws: list[Draw]) -> tuple[list[Span], list[Span]]:
    """Samples in pairs: those between which the log went on, and those between which it stood still."""
    pairs = list(pairwise(draws))
    steps = [(after[0] - before[0]).total_seconds() for before, after in pairs]
    longest = max(PAUSE_S, PAUSE_SAMPLES * median(steps)) if steps else 0
    spans: tuple[list[Span], list[Span]] = [], []
    for pair, step in zip(pairs, steps, strict=True):
        spans[step > longest].append(pair)
    return spans


def _named_pauses(pauses: Sequence[Span]) -> str:
    """When a log stood still and for how long: the longest pauses, in the order of time."""
    longest = sorted(pauses, key=lambda pause: pause[0][0] - pause[1][0])[:SHOWN_PAUSES]
    named = [
        f"{before:%Y-%m-%d %H:%M:%S} to {after:%Y-%m-%d %H:%M:%S} "
        f"({quantities.duration((after - before).total_seconds() / SECONDS_PER_HOUR)})"
        for (before, _), (after, _) in sorted(longest)
    ]
    more = len(pauses) - len(named)
    named += [f"{more:,} shorter"] * bool(more)
    return f"{quantities.counted(len(pauses), 'pause')} in the log: {', '.join(named)}"


def _seconds(spans: Sequence[Span]) -> float:
    return sum((after[0] - before[0]).total_seconds() for before, after in spans)


def _unread_seconds(spans: Sequence[Span]) -> float:
    """The time that touches a sample whose power was not read."""
    return _seconds([span for span in spans if None in (span[0][1], span[1][1])])


def _mean_watts(draws: Sequence[Draw]) -> float:
    """The mean of the powers that were read."""
    return fmean(watts for _, watts in draws if watts is not None)


def _integral_kwh(spans: Sequence[Span], mean_watts: float) -> float:
    """Energy (kWh) below the line through the samples; one that was not read is at the mean."""
    joules = sum(
        (after - before).total_seconds()
        * sum(mean_watts if watts is None else watts for watts in (first, second))
        / 2
        for (before, first), (after, second) in spans
    )
    return joules / 3.6e6  # J to kWh
