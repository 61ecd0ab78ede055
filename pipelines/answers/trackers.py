"""Logs of energy trackers as runs: CodeCarbon, Carbontracker, eco2AI.

Belongs here: what the columns of these tools are in our units, and which of their numbers cannot be. Does not
belong here: nvidia-smi (nvidia_smi.py), schedulers and bills (accounting.py), or which tool wrote a file
(imports.py).
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pipelines import hardware_units
from pipelines.answers import delimited, locations
from pipelines.answers.delimited import BadCellError, Place, Reject, Row

Run = dict[str, str]
Part = Run | str | Reject  # of a log: a run, a sentence on what is in none, or a row that is not taken

SECONDS_PER_HOUR = 3600
# What no machine draws: the highest board power of 2026 is 1,400 W, and hosts stay below 3 kW.
MOST_W_PER_GPU, MOST_W_OF_A_HOST = 1500, 3000
# Timestamps have whole seconds: what overlaps by less does not overlap.
CLOCK_S = 2
# Half of 85 W, in core/cpu.py and external/hardware.py of CodeCarbon.
CODECARBON_DEFAULT = "processors at 42.5 W, its constant for those that it does not know"
PROCESSORS_UNCLEAR = "processors read or estimated from their rated power (the log does not say which)"
NOT_METERED = "fans, power supplies and network not included"
UNREAD = ("", "none", "nan", "n/a", "[n/a]", "[not supported]", "null")
EXAMPLE_BY_HAND = (
    "Give the hours or the energy by hand, for example: "
    "ote estimate --hardware A100 --chips 8 --hours 72 --country DE, or "
    "ote estimate --energy 40 --country DE (kWh, before PUE; 3.6 million J are 1 kWh)"
)
# Of a Carbontracker log; the draws of many devices are an array that goes on over several lines.
MEASUREMENT = (
    r"Duration: (?P<negative>-?)(?:(?P<d>\d+) days?, )?(?P<h>\d+):(?P<m>\d\d):(?P<s>\d\d(?:\.\d+)?)"
    r"|Average power usage \(W\) for (?P<part>\w+): (?P<draws>\[[^\]]*\]|.+)"
)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one tracker measured: hours and kWh of the machine, and when, if that is known."""

    place: Place
    run: Run
    hours: float | None
    energy_kwh: float
    end: datetime | None = None
    machine: tuple[str, ...] | None = None

    @property
    def start(self) -> datetime | None:
        """When it began."""
        return self.end - timedelta(hours=self.hours) if self.end and self.hours else None


def codecarbon(text: str, _: str, pue_included: float | None, distinct: bool) -> Iterator[Part]:
    """CodeCarbon: kWh and seconds; energies hold the PUE of the column `pue`, where there is one."""
    table = delimited.with_points(delimited.parse(text))
    yield from table.rejects
    taken: list[tuple[Place, Row]] = []
    for place, row in table.rows:
        try:
            _energy_consumed(row)
            taken.append((place, row))
        except BadCellError as error:
            yield Reject(place=place, column=error.column, reason=error.reason)
    if "task_name" in table.header and "pue" not in table.header and not pue_included:
        yield "A file of tasks does not name a PUE; if the tracker was given one, import with --pue-included."
    if "task_name" in table.header:
        yield "CodeCarbon writes the sum of the tasks to emissions.csv as well; import one of the two files."
    last = _last_of_each_run(taken)
    if earlier := len(taken) - len(last):
        yield f"Rows left out, as a later one of the same run_id holds them: {earlier:,}."
    measured = []
    for place, row in last:
        try:
            notes: list[str] = []
            measured.append(_codecarbon_run(place, row, pue_included, notes))
            yield from (f"Line {place.line}: {note}" for note in notes)
        except BadCellError as error:
            yield Reject(place=place, column=error.column, reason=error.reason)
    yield from _counted_once(measured, distinct)


def _codecarbon_run(place: Place, row: Row, pue_included: float | None, notes: list[str]) -> Measured:
    pue = number(row, "pue") if row.get("pue") else pue_included or 1
    if pue < 1:
        raise BadCellError("pue", f"{row['pue']}, expected a PUE of 1 or more")
    energy = _energy_consumed(row) / pue
    if energy == 0:
        raise BadCellError(
            "energy_consumed", f"0 kWh in {row.get('duration')} s: the run ended before anything was measured"
        )
    hardware, chips, whole = _gpus(row, notes)
    hours = _hours(row, energy, pue, chips, notes)
    is_read = _gpu_was_read(row, hardware, chips)
    _note_unread(row, energy, is_read, notes)
    end = _timestamp(row)
    run = {
        "model": row.get("project_name", ""),
        **counted_as(hardware, chips, hours, "driver", notes),
        "training_hours": text_of(hours) if hours else "",
        "energy_kwh": text_of(energy) if is_read else "",
        "metering": _codecarbon_metering(row, pue) if is_read else "",
        "pue": text_of(pue) if pue > 1 else "",
        **_codecarbon_place(row, notes),
        "started": _day_before(row, end, hours),
    }
    is_part = bool(row.get("task_name")) or (row.get("tracking_mode") == "process" and not hardware)
    return Measured(
        place=place,
        run=run,
        hours=hours,
        energy_kwh=energy,
        end=None if is_part else end,
        machine=_machine(row) if whole and not is_part else None,
    )


def _note_unread(row: Row, energy: float, is_read: bool, notes: list[str]) -> None:
    if not is_read:
        notes.append(
            f"the GPU was not read (gpu_energy is 0), so its {energy:.3g} kWh are not taken as measured; "
            "the energy will be estimated from chips and hours."
        )
    for part in ("cpu", "ram"):
        if row.get(f"{part}_energy") and not _is_read(row[f"{part}_energy"]):
            notes.append(f"{part}_energy is {row[f'{part}_energy']}: not measured, and not in the energy.")


def _codecarbon_metering(row: Row, pue: float) -> str:
    """What CodeCarbon read and what it worked out, as far as its log says."""
    is_default = _is_read(row.get("cpu_power", "")) and round(_power_w(row, "cpu", pue), 6) == 42.5
    says = {
        "gpu": "GPUs read from the driver",
        "cpu": CODECARBON_DEFAULT if is_default else PROCESSORS_UNCLEAR,
        "ram": "memory estimated from its size",
    }
    parts = [words for part, words in says.items() if _is_read(row.get(f"{part}_energy", ""))]
    who = f"CodeCarbon {row.get('codecarbon_version', '')}".strip()
    of = " (processors and memory of the process alone)" if row.get("tracking_mode") == "process" else ""
    return f"{who}: {', '.join(parts) or 'its log does not name the components'}{of}; {NOT_METERED}"


def _machine(row: Row) -> tuple[str, ...] | None:
    """What tells one machine from another in a row of CodeCarbon; None where nothing does."""
    if not (row.get("cpu_model") or row.get("gpu_model")):
        return None
    columns = ("os", "cpu_model", "cpu_count", "gpu_model", "country_iso_code", "region", "cloud_region")
    memory = row.get("ram_total_size", "")[:5]
    return (*(row.get(column, "") for column in columns), memory)


def _energy_consumed(row: Row) -> float:
    """Energy of a row (kWh); where the sum is missing, what its components measured."""
    if _is_known(row.get("energy_consumed", "")):
        return number(row, "energy_consumed")
    parts = [f"{part}_energy" for part in ("cpu", "gpu", "ram")]
    known = [number(row, part) for part in parts if _is_known(row.get(part, ""))]
    if not known:
        raise BadCellError(
            "energy_consumed", f"{row.get('energy_consumed') or 'empty'}, expected a number of kWh"
        )
    return sum(known)


def _last_of_each_run(rows: list[tuple[Place, Row]]) -> list[tuple[Place, Row]]:
    """The last row of each run_id: every flush() appends the run so far, and its energy never falls.

    Where energy and duration fall, the tracker was started again and counts from zero: both parts count.
    Rows of tasks are parts of a run, not states of it. The first versions wrote no run_id, and a row a run.
    """
    last: dict[tuple[str, int], tuple[Place, Row]] = {}
    starts: Counter[str] = Counter()
    for place, row in rows:
        name = "" if row.get("task_name") else row.get("run_id", "")
        if not name:
            last["", place.line] = (place, row)
            continue
        before = last.get((name, starts[name]))
        if before and _energy_consumed(row) < _energy_consumed(before[1]):
            if not _is_shorter(row, before[1]):
                continue  # an earlier state that stands later in the file
            starts[name] += 1
        last[name, starts[name]] = (place, row)
    return list(last.values())


def _is_shorter(row: Row, other: Row) -> bool:
    """Whether a row has less time than another one, and was written later."""
    try:
        is_less = number(row, "duration") < number(other, "duration")
    except BadCellError:
        return False
    return is_less and row.get("timestamp", "") >= other.get("timestamp", "")


def _gpus(row: Row, notes: list[str]) -> tuple[str, int | None, bool]:
    """Name and number of the GPUs that were tracked, and whether these are all of the machine."""
    model = row.get("gpu_model") or ""
    found = re.fullmatch(r"(\d+) x ((?:(?! x ).)+)", model)
    given = row.get("gpu_count") or ""
    count = int(float(given)) if re.fullmatch(r"\d+(\.0*)?", given) else None
    if model and " x " not in model:  # Apple's chips have no number before their name
        return model.strip(), count or 1, True
    if model and not found:
        notes.append(f"gpu_model {model!r} is a mix or not clear; its names stand in no column.")
        return "", None, True
    if not found:
        return "", count or None, True
    listed = int(found[1])
    if count and count != listed:
        notes.append(f"gpu_count is {count}, and gpu_model lists {listed}: counted {count}, as tracked.")
    return found[2].strip(), count or listed, not count or count >= listed


def _gpu_was_read(row: Row, hardware: str, chips: int | None) -> bool:
    has_gpu = bool(hardware) or bool(chips)
    return not has_gpu or "gpu_energy" not in row or _is_read(row["gpu_energy"])


def _hours(row: Row, energy: float, pue: float, chips: int | None, notes: list[str]) -> float | None:
    """Hours of a row; a duration that cannot belong to its energy is replaced by a better one, or left out.

    Memory has a constant power in CodeCarbon, and processors often have: energy / power is the time measured.
    """
    if not _is_known(row.get("duration", "")):
        notes.append("no duration is stated; the hours are left out.")
        return None
    try:
        hours = delimited.number(row["duration"]) / SECONDS_PER_HOUR
    except ValueError as error:
        raise BadCellError("duration", str(error)) from None
    most_kw = _most_kw(row, chips)
    times = [time for part in ("ram", "cpu") if (time := _constant_hours(row, part, pue))]
    agree = len(times) == 2 and max(times) <= 1.2 * min(times)
    is_wrong = not 0 < hours < 87600 or energy / hours > most_kw
    if not is_wrong and not (agree and not 0.5 < times[0] / hours < 2):
        return hours
    better = next((time for time in times if energy / time <= most_kw), None)
    if better and 980 < better / hours < 1020:
        raise BadCellError(
            "energy_consumed",
            f"{energy:.3g} kWh in {row['duration']} s is {energy / hours:.3g} kW, and so are its parts: "
            "it looks like Wh; CodeCarbon writes kWh",
        )
    draw = f"{energy / hours:.3g} kW" if hours > 0 else "no draw"
    says = f"a duration of {row['duration']} s with {energy:.3g} kWh is {draw}, which cannot be: "
    if better:
        notes.append(f"{says}taken as {better * SECONDS_PER_HOUR:.0f} s, from energy over power.")
    else:
        notes.append(f"{says}the hours are left out.")
    return better


def _most_kw(row: Row, chips: int | None) -> float:
    """What the machine of a row cannot exceed; without a word on GPUs it may be a server of sixteen."""
    says_none = "gpu_model" in row and row.get("gpu_energy", "") in ("", "0", "0.0")
    gpus = chips or (0 if says_none else 16)
    return (gpus * MOST_W_PER_GPU + MOST_W_OF_A_HOST) / 1000


def _constant_hours(row: Row, part: str, pue: float) -> float | None:
    try:
        energy, power = number(row, f"{part}_energy") / pue, _power_w(row, part, pue)
    except BadCellError:
        return None
    return energy * 1000 / power if energy > 0 and power > 0 else None  # kWh to Wh


def _power_w(row: Row, part: str, pue: float) -> float:
    """Power of a component before PUE (W); from 3.3.1 on CodeCarbon multiplies that by the PUE as well."""
    version = re.match(r"(\d+)\.(\d+)\.(\d+)", row.get("codecarbon_version", ""))
    has_pue = version is not None and tuple(map(int, version.groups())) >= (3, 3, 1)
    return number(row, f"{part}_power") / (pue if has_pue else 1)


def _codecarbon_place(row: Row, notes: list[str]) -> Run:
    """The place of a row: its cloud region if that is known, else its state and country."""
    told = row.get("cloud_region") or ""
    if region := locations.cloud_region(told):
        return {"cloud_region": region}
    if told:
        notes.append(f"cloud_region {told!r} is not known here and not used.")
    name, code = row.get("country_name") or "", row.get("country_iso_code") or ""
    return _country_and_state(name, code, row.get("region") or "", notes)


def _country_and_state(name: str, code: str, region: str, notes: list[str]) -> Run:
    country = locations.country(name, code)
    if name and not country:
        notes.append(f"country {name!r} is not known here and not used.")
    state = locations.state(region, country)
    if region and not state and country:
        notes.append(f"region {region!r} of {country} is not used: the dataset has no grid of it.")
    return {"site_country": country, "site_state": state}


def _timestamp(row: Row) -> datetime | None:
    written = row.get("timestamp", "")
    if not written:
        return None
    try:
        return datetime.fromisoformat(written).replace(tzinfo=None)
    except ValueError:
        raise BadCellError(
            "timestamp", f"{written!r}, expected when the row was written, such as 2025-01-03T00:00:00"
        ) from None


def _day_before(row: Row, end: datetime | None, hours: float | None) -> str:
    """The day a run began: CodeCarbon dates a row when it writes it, at the end of its duration."""
    if end is None:
        return ""
    try:
        return (end - timedelta(hours=hours or 0)).date().isoformat()
    except OverflowError:
        raise BadCellError(
            "timestamp", f"{row['timestamp']!r} with a duration of {row['duration']} s"
        ) from None


def counted_as(hardware: str, chips: int | None, hours: float | None, by: str, notes: list[str]) -> Run:
    """Accelerators as the data sheet counts them, where the log counts parts of one."""
    counting = hardware_units.counted(hardware, by) if hardware else None
    if not counting or not chips:
        return {"hardware": hardware, "chips": str(chips or "")}
    boards = chips * counting.chips_each
    notes.append(f"counted {chips} of {counting.says}, so {boards:g}.")
    if boards == int(boards):
        return {"hardware": counting.model, "chips": str(int(boards))}
    return {"hardware": counting.model, "chip_hours": text_of(boards * hours) if hours else ""}


def _counted_once(measured: list[Measured], distinct: bool) -> Iterator[Part]:
    """Runs, with the time that several trackers measured the same machine counted once.

    Rows are of one machine if all that they say of it is alike, their times overlap, and their mean powers
    are within a factor of two. The longest is taken whole; of another the share of its time that none covers.
    """
    shares: dict[Place, float] = {each.place: 1.0 for each in measured}
    if not distinct:
        groups: dict[tuple[str, ...], list[Measured]] = {}
        for each in measured:
            if each.machine and each.start:
                groups.setdefault(each.machine, []).append(each)
        for group in groups.values():
            yield from _shares_of_a_machine(group, shares)
        yield from _note_overlaps([each for each in measured if not each.machine])
    for each in measured:
        share = shares[each.place]
        if share > 0:
            yield each.run if share == 1 else _scaled(each, share)


def _note_overlaps(unnamed: list[Measured]) -> Iterator[str]:
    """A sentence on trackers that ran at once, where the log does not tell their machines apart."""
    spans = sorted((each.start, each.end, each.place.line) for each in unnamed if each.start and each.end)
    lines: list[int] = []
    reached: tuple[datetime, int] | None = None
    for start, end, line in spans:
        if reached and (reached[0] - start).total_seconds() > CLOCK_S:
            lines += [reached[1], line]
        if not reached or end > reached[0]:
            reached = (end, line)
    if lines:
        named = sorted(set(lines))
        yield (
            f"Lines {', '.join(map(str, named[:10]))}{', ...' * (len(named) > 10)} overlap in time, and the "
            "log does not say whether they measured the same processors and memory: each is counted in full. "
            "If one machine was measured by several trackers, keep one line of them."
        )


def _shares_of_a_machine(group: list[Measured], shares: dict[Place, float]) -> Iterator[str]:
    taken: list[Measured] = []
    dropped: dict[Place, list[Place]] = {}
    for each in sorted(group, key=lambda m: (-(m.hours or 0), m.place.line)):
        same = [other for other in taken if _overlap(each, other) > 0 and _alike(each, other)]
        if same:
            share = _uncovered(each, same)
            if share < 0.05:
                dropped.setdefault(same[0].place, []).append(each.place)
                shares[each.place] = 0.0
                continue
            if share < 1:
                shares[each.place] = share
                yield (
                    f"Line {each.place.line}: {1 - share:.0%} of its time the same machine was measured by "
                    f"{same[0].place} too; that share is counted once, there."
                )
        taken.append(each)
    for place, others in dropped.items():
        lines = ", ".join(str(other.line) for other in others[:10]) + ", ..." * (len(others) > 10)
        yield (
            f"Line {place.line} and {len(others):,} more ({lines}) measured the same machine "
            "at the same time: counted once. If they are different machines, import with --distinct-machines."
        )


def _overlap(a: Measured, b: Measured) -> float:
    """Seconds that two trackers ran at once, beyond what rounded clocks make."""
    if a.start is None or b.start is None or a.end is None or b.end is None:
        return 0.0
    return (min(a.end, b.end) - max(a.start, b.start)).total_seconds() - CLOCK_S


def _alike(a: Measured, b: Measured) -> bool:
    powers = (a.energy_kwh / (a.hours or 1), b.energy_kwh / (b.hours or 1))
    return max(powers) <= 2 * min(powers)


def _uncovered(each: Measured, others: list[Measured]) -> float:
    """The share of a tracker's time in which none of the others ran."""
    if each.start is None or each.end is None:
        return 1.0
    spans = sorted(
        (max(other.start, each.start), min(other.end, each.end))
        for other in others
        if other.start and other.end
    )
    covered, reached = 0.0, each.start
    for begin, end in spans:
        covered += max(0.0, (end - max(begin, reached)).total_seconds())
        reached = max(reached, end)
    whole = (each.end - each.start).total_seconds()
    return max(0.0, whole - covered) / whole if whole else 0.0


def _scaled(each: Measured, share: float) -> Run:
    scaled = dict(each.run)
    for column in ("training_hours", "chip_hours", "energy_kwh"):
        if scaled.get(column):
            scaled[column] = text_of(float(scaled[column]) * share)
    return scaled


@dataclass(kw_only=True)
class Epoch:
    """An epoch of Carbontracker: seconds, W of each component, and those not read, as they are written."""

    place: Place
    seconds: float
    watts: dict[str, float]
    unread: list[tuple[Place, str, str]]


def carbontracker(text: str, file: str, pue_included: float | None, _: bool) -> Iterator[Part]:
    """Carbontracker: epochs with a duration and mean W per component; the log's own draws are without PUE."""
    epochs, early = _epochs(text)
    yield from early
    parts = {part for epoch in epochs for part in epoch.watts}
    for number, epoch in enumerate(epochs, start=1):
        where, part, _written = epoch.unread[-1] if epoch.unread else (epoch.place, "any component", "")
        if not epoch.seconds:
            yield Reject(place=epoch.place, reason=f"epoch {number}: a duration of 0 or less")
        elif not epoch.watts:
            yield Reject(place=where, reason=f"epoch {number}: a duration without a measured power of {part}")
        elif missing := parts - set(epoch.watts):
            names = ", ".join(sorted(missing))
            yield f"Epoch {number}: power of {names} not measured, and not in the energy."
    never = {part: written for epoch in epochs for _, part, written in epoch.unread if part not in parts}
    for part, written in sorted(never.items()) if parts else ():
        yield f"Power of {part}: not measured ({written}), and not in the energy."
    if taken := [epoch for epoch in epochs if epoch.seconds and epoch.watts]:
        yield f"Epochs taken: {len(taken):,}. Those that it was not told to measure are not in its log."
        notes: list[str] = []
        yield _carbontracker_run(text, file, pue_included, taken, notes)
        yield from (f"{note[:1].upper()}{note[1:]}" for note in notes)


def _epochs(text: str) -> tuple[list[Epoch], list[Reject]]:
    """The epochs of a log, and powers that stand before any duration; a power of exactly 0 was not read."""
    epochs: list[Epoch] = []
    early: list[Reject] = []
    for found in re.finditer(MEASUREMENT, text):
        place = Place(line=text.count("\n", 0, found.start()) + 1)
        if found["draws"] is None:
            days, hours, minutes, seconds = (float(found[part] or 0) for part in ("d", "h", "m", "s"))
            length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
            seconds = 0.0 if found["negative"] else length
            epochs.append(Epoch(place=place, seconds=seconds, watts={}, unread=[]))
            continue
        watts = re.findall(r"\d+(?:\.\d*)?(?:e[+-]?\d+)?|nan", found["draws"])
        if not epochs:
            early.append(Reject(place=place, reason=f"a power before any duration: {found[0]!r}"))
        elif not watts or "nan" in watts or not any(map(float, watts)):
            epochs[-1].unread.append((place, found["part"], found["draws"].strip()))
        else:
            epochs[-1].watts[found["part"]] = sum(map(float, watts))
    return epochs, early


def _carbontracker_run(
    text: str,
    file: str,
    pue_included: float | None,
    taken: list[Epoch],
    notes: list[str],
) -> Run:
    seconds = sum(epoch.seconds for epoch in taken)
    joules = sum(sum(epoch.watts.values()) * epoch.seconds for epoch in taken)
    kwh = joules / 3.6e6  # J to kWh
    devices = re.search(r"(?i)GPU with device\(s\) ([^.]+)\.", text)
    gpus = [name.strip() for name in devices[1].split(",")] if devices else []
    hardware, chips = (gpus[0], len(gpus)) if len(set(gpus)) == 1 else ("", None)
    if len(set(gpus)) > 1:
        notes.append(f"the GPUs are a mix ({', '.join(gpus)}); their names stand in no column.")
    parts = {part for epoch in taken for part in epoch.watts}
    is_read = not gpus or "gpu" in parts
    if not is_read:
        notes.append("the GPU was not read, so the energy is not taken as measured; it will be estimated.")
    return {
        "model": re.sub(r"_carbontracker$", "", Path(file).stem),
        **counted_as(hardware, chips, seconds / SECONDS_PER_HOUR, "driver", notes),
        "training_hours": text_of(seconds / SECONDS_PER_HOUR),
        "energy_kwh": text_of(kwh / (pue_included or 1)) if is_read else "",
        "metering": _carbontracker_metering(text, parts) if is_read else "",
        "started": text[:10] if re.match(r"\d{4}-\d\d-\d\d", text) else "",
    }


def _carbontracker_metering(text: str, parts: set[str]) -> str:
    """What Carbontracker read; without RAPL it takes half of a processor's rated power."""
    is_rapl = re.search(r"CPU with device\(s\) (?:cpu|dram|core|uncore|psys):\d", text)
    says = {
        "gpu": "GPUs read from the driver",
        "cpu": "processors read from RAPL" if is_rapl else PROCESSORS_UNCLEAR,
    }
    version = re.search(r"carbontracker version (\S+)", text)
    who = f"Carbontracker {version[1]}" if version else "Carbontracker"
    return f"{who}: {', '.join(says.get(part, part) for part in sorted(parts, reverse=True))}; {NOT_METERED}"


def eco2ai(text: str, file: str, pue_included: float | None, distinct: bool) -> Iterator[Part]:
    """eco2AI: kWh (once spelt kWTh) and seconds; energies hold its tracker's PUE, 1 by default.

    Its column region/country holds country/region, in brackets where the user gave the intensity.
    """
    table = delimited.with_points(delimited.parse(text))
    yield from table.rejects
    energy = next((name for name in table.header if name.startswith("power_consumption(")), "")
    if energy.lower() not in ("power_consumption(kwh)", "power_consumption(kwth)"):
        raise UnknownUnitError(f"{file}: energy in an unknown unit, column {energy!r}; expected kWh")
    measured = []
    for place, row in table.rows:
        try:
            notes: list[str] = []
            measured.append(_eco2ai_run(place, row, energy, pue_included, notes))
            yield from (f"Line {place.line}: {note}" for note in notes)
        except BadCellError as error:
            yield Reject(place=place, column=error.column, reason=error.reason)
    yield from _counted_once(measured, distinct)


class UnknownUnitError(Exception):
    """A column is in a unit that is not known; the message names it."""


def _eco2ai_run(
    place: Place, row: Row, energy_column: str, pue_included: float | None, notes: list[str]
) -> Measured:
    energy = number(row, energy_column) / (pue_included or 1)
    hours = number(row, "duration(s)") / SECONDS_PER_HOUR
    hardware, chips = _eco2ai_gpus(row, notes)
    _refuse_too_much(row, energy_column, energy, hours, chips)
    country = row.get("region/country") or row.get("country") or ""
    name, _, region = country.strip("() ").partition("/")
    started = row.get("start_time", "")
    parts = ["GPUs read from the driver"] if chips else []
    parts += ["processors estimated from their rated power and load", "memory estimated from its size"]
    run = {
        "model": row.get("project_name", ""),
        **counted_as(hardware, chips or None, hours, "driver", notes),
        "training_hours": text_of(hours),
        "energy_kwh": text_of(energy),
        "metering": f"eco2AI: {', '.join(parts)}; {NOT_METERED}",
        **_country_and_state(name.strip(), "", region.strip(), notes),
        "started": started[:10],
    }
    try:
        begin = datetime.fromisoformat(started) if started else None
    except ValueError:
        raise BadCellError(
            "start_time", f"{started!r}, expected a time such as 2025-01-03 00:00:00"
        ) from None
    return Measured(
        place=place,
        run=run,
        hours=hours,
        energy_kwh=energy,
        end=begin + timedelta(hours=hours) if begin else None,
        machine=(row.get("CPU_name", ""), row.get("GPU_name", ""), row.get("OS", "")) if chips else None,
    )


def _eco2ai_gpus(row: Row, notes: list[str]) -> tuple[str, int]:
    gpu = re.match(r"(.*?)\s*[/ ]?\s*(\d+) device\(s\)", (row.get("GPU_name") or "").strip())
    hardware, chips = (gpu[1].strip(" /"), int(gpu[2])) if gpu else ("", 0)
    if chips and not hardware:
        notes.append(f"{chips} GPUs without a name; give it with --hardware.")
    return hardware if chips else "", chips


def _refuse_too_much(row: Row, column: str, energy: float, hours: float, chips: int) -> None:
    """Refuse an energy that is none, or that no such machine could use in its time."""
    if energy == 0 or hours == 0:
        raise BadCellError(column, f"{row[column]} kWh in {row['duration(s)']} s: nothing was measured")
    most_kw = (chips * MOST_W_PER_GPU + MOST_W_OF_A_HOST) / 1000
    if energy / hours > most_kw:
        raise BadCellError(
            column,
            f"{energy:.3g} kWh in {row['duration(s)']} s is {energy / hours:.3g} kW; "
            f"a machine of {chips} GPUs draws {most_kw:.3g} kW at the most",
        )


def _is_known(cell: str) -> bool:
    return cell.strip().lower() not in UNREAD


def _is_read(cell: str) -> bool:
    """Whether a component was measured: what is exactly 0 was not."""
    try:
        return _is_known(cell) and delimited.number(cell) != 0
    except ValueError:
        return False


def number(row: Row, column: str) -> float:
    """A finite number that is not negative.

    Raises:
        BadCellError: the cell is none.
    """
    try:
        value = delimited.number(row.get(column) or "")
    except ValueError as error:
        raise BadCellError(column, str(error)) from None
    if not 0 <= value < float("inf"):
        raise BadCellError(column, f"{row[column]} cannot be")
    return value


def text_of(value: float) -> str:
    """A number as a cell of a file of runs."""
    return f"{value:.12g}"
