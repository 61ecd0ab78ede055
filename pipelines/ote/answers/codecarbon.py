"""Logs of CodeCarbon as runs: emissions.csv of versions 1 to 3, and its files of tasks.

Belongs here: what its columns are in our units, and which of its numbers cannot be. Does not belong here:
rows of one machine at one time (trackers.py), or which tool wrote a file (imports.py).
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from ote import hardware_units
from ote.answers import dates, delimited, locations
from ote.answers.delimited import BadCellError, Place, Reject, Row
from ote.answers.trackers import (
    IDLE_OF_RATING,
    LEAST_OF_RATING,
    MOST_W_OF_A_HOST,
    MOST_W_PER_GPU,
    NOT_METERED,
    ONE_IS_WRONG,
    PROCESSORS_UNCLEAR,
    SECONDS_PER_HOUR,
    SLIP_TOLERANCE,
    UNIT_SLIPS,
    Host,
    Measured,
    Part,
    Run,
    base_name,
    counted_as,
    counted_once,
    country_and_state,
    is_known,
    is_near,
    is_possible_power,
    is_read,
    names_left_out,
    number,
    of_each_kind,
    refuse_power,
    share_of_rating,
    text_of,
    unit_slip,
)

PARTS = ("cpu", "gpu", "ram")
GRID_KG_PER_KWH = (0.005, 2)  # what a grid emits: with hydropower alone, and with the oldest coal
ROUNDING = 0.02  # by which a total may differ from the sum of its parts
# Half of 85 W, in core/cpu.py and external/hardware.py of CodeCarbon.
DEFAULT = "processors at 42.5 W, its constant for those that it does not know"

# CodeCarbon reads every 15 s unless it is set otherwise: what took longer and has no energy was not measured.
SHORTEST_S = 60
BY_HAND = (
    "If you know its accelerators and hours, give them by hand: "
    "ote estimate --hardware NAME --chips N --hours H"
)
SHORT = (
    "a crash while the file was written leaves half a line, and CodeCarbon leaves empty cells out when it "
    "appends; complete the line, or take it out"
)
IDLE = (
    "it was idle, or read for a part of the time alone. The energy is kept; if the GPU worked, empty "
    "gpu_energy, and the energy will be estimated."
)
NUMBERS = (
    *("duration", "energy_consumed", "pue", "gpu_count"),
    *(f"{part}_{of}" for part in PARTS for of in ("energy", "power")),
)


def runs(text: str, _: str, pue_included: float | None, distinct: bool) -> Iterator[Part]:
    """CodeCarbon: kWh and seconds; energies hold the PUE of the column `pue`, where there is one."""
    table = delimited.with_points(delimited.parse(text, short=SHORT), NUMBERS)
    yield from delimited.lines_without_rows(table.asides)
    yield from table.rejects
    taken: list[tuple[Place, Row]] = []
    for place, row in table.rows:
        try:
            _refuse_other_sum(row)
            taken.append((place, row))
        except BadCellError as error:
            yield Reject(place=place, column=error.column, reason=error.reason)
    if pue_included and any(row.get("pue") for _, row in table.rows):
        yield "--pue-included is not used for rows of CodeCarbon with a PUE in the column pue."
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
            measured.append(_run(place, row, pue_included, notes))
            yield from (f"Line {place.line}: {note}" for note in notes)
        except BadCellError as error:
            yield Reject(place=place, column=error.column, reason=error.reason)
    yield from counted_once(measured, distinct)


def _run(place: Place, row: Row, pue_included: float | None, notes: list[str]) -> Measured:
    pue = number(row, "pue") if row.get("pue") else pue_included or 1
    if pue < 1:
        raise BadCellError("pue", f"{row['pue']}, expected a PUE of 1 or more")
    energy = _energy_consumed(row) / pue
    if energy and not is_known(row.get("energy_consumed", "")):
        notes.append(f"energy_consumed is not stated; taken as the sum of its parts, {energy * pue:.6g} kWh.")
    if part := re.search(hardware_units.SLICE_OF_GPU, row.get("gpu_model", "")):
        raise BadCellError(
            "gpu_model",
            f"{row['gpu_model']!r} has {part[0]}, a part of an accelerator (MIG), and a driver reads "
            "the power of the whole one; what the part used is not known",
        )
    kinds, whole = _gpus(row, notes)
    if energy == 0:
        notes.append(_unmeasured(row, sum(count for _, count in kinds)))
    hardware, chips = kinds[0] if len(kinds) == 1 else ("", None)
    hours = _hours(row, energy, pue, sum(number or 0 for _, number in kinds), notes)
    gpu_w = _mean_gpu_w(row, pue, hours, chips)
    share = share_of_rating(gpu_w, hardware) if gpu_w is not None else None
    is_tiny = share is not None and share < LEAST_OF_RATING
    has_energy = energy > 0 and _gpu_was_read(row) and not is_tiny
    if not (has_energy or hours):
        raise BadCellError(
            "gpu_energy",
            f"the GPU was not read, and the duration, {row.get('duration') or 'empty'}, cannot be: neither "
            "the energy nor the hours of the run are known",
        )
    if has_energy and hardware and chips:
        _judge_power(row, hardware, chips, hours, pue, notes)
    if has_energy and len(kinds) != 1 and row.get("gpu_model"):
        notes.append(names_left_out(row["gpu_model"]))
    if energy:
        _note_unread(row, energy, has_energy, notes)
    if gpu_w and share is not None and share < IDLE_OF_RATING:
        notes.append(
            f"gpu_energy over the duration is {gpu_w:.2g} W for each GPU, {share:.2g} of its rating: "
            + ("less than an idle GPU draws." if is_tiny else IDLE)
        )
    end = _timestamp(row)
    notes += filter(None, [dates.unclear("timestamp", row.get("timestamp", ""))])
    run = {
        "model": _name(row),
        **counted_as(hardware or _apple_chip(row), chips, hours, "driver", notes),
        "training_hours": text_of(hours) if hours else "",
        "energy_kwh": text_of(energy) if has_energy else "",
        "metering": _metering(row, pue) if has_energy else "",
        "pue": text_of(pue) if pue > 1 else "",
        **_place(row, notes),
        "started": _day_before(row, end, hours),
    }
    is_part = bool(row.get("task_name")) or (row.get("tracking_mode") == "process" and not kinds)
    is_split = len(kinds) > 1 and not has_energy
    return Measured(
        place=place,
        runs=of_each_kind(run, kinds, hours, notes) if is_split else [run],
        hours=hours,
        energy_kwh=energy,
        gpu_kwh=_parts(row).get("gpu") if has_energy else None,
        end=None if is_part else end,
        machine=_machine(row) if whole and not is_part else None,
        host=_host(row, chips or 0, hours, pue) if has_energy and not is_part else None,
    )


def _unmeasured(row: Row, chips: int) -> str:
    """What to say of a run without an energy whose hours and accelerators are known.

    Raises:
        BadCellError: they are not, or the run was too short to be measured.
    """
    stated = row.get("energy_consumed", "")
    says = (
        f"{stated} kWh in {row.get('duration')} s" if is_known(stated) else "empty, expected a number of kWh"
    )
    seconds = number(row, "duration") if is_known(row.get("duration", "")) else 0
    if is_known(stated) and seconds < SHORTEST_S:
        raise BadCellError("energy_consumed", f"{says}: the run ended before anything was measured")
    if not (seconds and chips):
        what = "accelerator" if seconds else "duration"
        raise BadCellError("energy_consumed", f"{says}; the log names no {what}. {BY_HAND}")
    return (
        f"energy_consumed is {stated or 'empty'}, so nothing was measured in {row['duration']} s; the energy "
        "will be estimated from chips and hours."
    )


def _apple_chip(row: Row) -> str:
    """The chip of a Mac, whose GPU is a part of it; where CodeCarbon reads that, it names it as the GPU."""
    name = row.get("cpu_model", "").strip()
    return name if name.startswith("Apple") and not is_known(row.get("gpu_model", "")) else ""


def _mean_gpu_w(row: Row, pue: float, hours: float | None, chips: int | None) -> float | None:
    """The mean power of each GPU by its energy (W), where the log has both."""
    kwh = _parts(row).get("gpu")
    return kwh / pue * 1000 / hours / chips if kwh is not None and hours and chips else None  # kWh to Wh


def _name(row: Row) -> str:
    """The project of a row, with its task if it has one."""
    project, task = base_name(row.get("project_name", "")), row.get("task_name", "")
    return f"{project} ({task})" if project and task else project or task


def _host(row: Row, chips: int, hours: float | None, pue: float) -> Host | None:
    """The machine about tracked GPUs; None where the log does not say what its processors used."""
    machine, parts = _machine(row), _parts(row)
    if not (machine and chips and hours and parts.get("cpu")):
        return None
    listed = re.match(r"(\d+) x ", row.get("gpu_model", ""))
    constant = _constant_hours(row, "cpu", pue)
    return Host(
        machine=machine,
        kwh=(parts["cpu"] + parts.get("ram", 0)) / pue,
        cpu_kwh=parts["cpu"],
        is_constant=constant is None or is_near(constant, hours, 1.01),
        gpus=(chips, int(listed[1]) if listed else chips),
    )


def _note_unread(row: Row, energy: float, has_energy: bool, notes: list[str]) -> None:
    if not has_energy:
        notes.append(
            f"the GPU was not read (gpu_energy is {row['gpu_energy'] or 'empty'}), so its {energy:.3g} kWh "
            "are not taken as measured; the energy will be estimated from chips and hours."
        )
    for part in ("cpu", "ram"):
        if row.get(f"{part}_energy") and not is_read(row[f"{part}_energy"]):
            notes.append(f"{part}_energy is {row[f'{part}_energy']}: not measured, and not in the energy.")


def _metering(row: Row, pue: float) -> str:
    """What CodeCarbon read and what it worked out, as far as its log says."""
    is_apple = row.get("cpu_model", "").startswith("Apple") and is_read(row.get("gpu_energy", ""))
    is_default = is_read(row.get("cpu_power", "")) and round(_power_w(row, "cpu", pue), 6) == 42.5
    says = {
        "gpu": "GPUs read from the driver",
        "cpu": DEFAULT if is_default else PROCESSORS_UNCLEAR,
        "ram": "memory estimated from its size",
    }
    if is_apple:  # ApplePowermetrics in core/powermetrics.py reads both
        says |= {"gpu": "GPU read by powermetrics", "cpu": "processors read by powermetrics"}
    parts = [words for part, words in says.items() if is_read(row.get(f"{part}_energy", ""))]
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
    """Energy of a row (kWh); where the sum is missing, what its components measured, or 0 if nothing was."""
    if is_known(row.get("energy_consumed", "")):
        return number(row, "energy_consumed")
    return sum(_parts(row).values())


def _parts(row: Row) -> dict[str, float]:
    """What the components measured (kWh), where the row says it."""
    return {part: number(row, f"{part}_energy") for part in PARTS if is_known(row.get(f"{part}_energy", ""))}


def _refuse_other_sum(row: Row) -> None:
    """Refuse a total that is not the sum of its parts: nobody knows which of them is wrong.

    Where a part is not known, the total may be more than the others.

    Raises:
        BadCellError: they differ by more than rounding.
    """
    total, parts = _energy_consumed(row), _parts(row)
    sums = sum(parts.values())
    may_be_more = len(parts) < len(PARTS) and total > sums
    if not parts or may_be_more or abs(total - sums) <= ROUNDING * max(total, sums):
        return
    slip = unit_slip(total / sums) or unit_slip(sums / total) if total and sums else ""
    of = f"; one of them looks like {slip}" if slip else ""
    raise BadCellError(
        "energy_consumed",
        f"{row['energy_consumed']} kWh, but its parts ({', '.join(f'{part}_energy' for part in parts)}) "
        f"sum to {sums:.6g} kWh{of}. Correct the wrong one, in kWh",
    )


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


def _gpus(row: Row, notes: list[str]) -> tuple[list[tuple[str, int]], bool]:
    """Each kind of GPU that was tracked with its number, and whether these are all of the machine."""
    model = row["gpu_model"].strip() if is_known(row.get("gpu_model", "")) else ""
    given = row.get("gpu_count") or ""
    count = int(float(given)) if re.fullmatch(r"\d+(\.0*)?", given) else 0
    if model and " x " not in model:  # Apple's chips have no number before their name
        return [(model, count or 1)], True
    if not model:
        return [("", count)] if count else [], True
    found = re.fullmatch(r"(\d+) x ((?:(?! x ).)+)", model)
    if not found:
        return _several_kinds(model, count), True
    listed = int(found[1])
    if count and count != listed:
        notes.append(f"gpu_count is {count}, and gpu_model lists {listed}: counted {count}, as tracked.")
    return [(found[2].strip(), count or listed)], not count or count >= listed


def _several_kinds(model: str, count: int) -> list[tuple[str, int]]:
    """The kinds of `4 x NVIDIA H1004 x NVIDIA A100`, where their numbers add up in one way; else none."""
    readings = [kinds for kinds in _readings(model) if sum(number for _, number in kinds) == count]
    return readings[0] if len(readings) == 1 else []


def _readings(model: str) -> Iterator[list[tuple[str, int]]]:
    """Each way to part a list without separators into numbers and names."""
    found = re.match(r"([1-9]\d*) x (.+)$", model)
    if not found:
        return
    number, rest = int(found[1]), found[2]
    if " x " not in rest:
        yield [(rest.strip(), number)]
    for begin in re.finditer(r"(?=[1-9]\d* x )", rest):
        name = rest[: begin.start()].strip()
        if name and " x " not in name:
            yield from ([(name, number), *others] for others in _readings(rest[begin.start() :]))


def _gpu_was_read(row: Row) -> bool:
    has_gpu = is_known(row.get("gpu_model", "")) or is_read(row.get("gpu_count", ""))
    is_in_total = not _parts(row) and is_read(row.get("gpu_power", ""))
    return not has_gpu or "gpu_energy" not in row or is_read(row["gpu_energy"]) or is_in_total


def _judge_power(row: Row, name: str, chips: int, hours: float | None, pue: float, notes: list[str]) -> None:
    """Judge the power of each GPU as any tracker's; one reading may be wrong, the mean may not.

    CodeCarbon writes the power of its last interval, which is sometimes too short for the driver's counter.

    Raises:
        BadCellError: both are more than such a GPU draws.
    """
    try:
        refuse_power("gpu_power", _power_w(row, "gpu", pue) / chips, name)
    except BadCellError as error:
        if not is_known(row.get("gpu_power", "")):
            return
        kwh = number(row, "gpu_energy") / pue
        mean_w = kwh * 1000 / hours / chips if hours else None  # kWh to Wh
        if mean_w is None or not is_possible_power(mean_w, name):
            raise
        notes.append(
            f"gpu_power of each GPU is {error.reason}. It is not used: gpu_energy over the duration is "
            f"{mean_w:.3g} W."
        )


def _hours(row: Row, energy: float, pue: float, chips: int | None, notes: list[str]) -> float | None:
    """Hours of a row; a duration that cannot belong to its energy is replaced by a better one, or left out.

    The memory of a machine has a constant power in CodeCarbon, and processors often have: energy / power is
    the time measured.
    """
    if not is_known(row.get("duration", "")):
        notes.append("no duration is stated; the hours are left out.")
        return None
    try:
        hours = delimited.number(row["duration"]) / SECONDS_PER_HOUR
    except ValueError as error:
        raise BadCellError("duration", str(error)) from None
    most_kw = _most_kw(row, chips)
    if 0 < hours < 87600 and energy / hours <= most_kw and _fits(row, energy, pue, hours):
        return hours
    is_wrong = _is_other_unit(row, energy, pue, hours) or not 0 < hours < 87600
    is_wrong = is_wrong or energy / hours > most_kw
    of_ram, of_cpu = (_constant_hours(row, part, pue) for part in ("ram", "cpu"))
    agree = of_ram is not None and of_cpu is not None and is_near(of_ram, of_cpu, 1.2)
    if not is_wrong and not (agree and of_ram and not 0.5 < of_ram / hours < 2):
        return hours
    better = of_ram if row.get("tracking_mode") != "process" or agree else None
    better = better if better and energy / better <= most_kw else None
    draw = f"{energy / hours:.3g} kW" if hours > 0 else "no power"
    says = f"a duration of {row['duration']} s with {energy:.3g} kWh is {draw}, which cannot be: "
    if better:
        notes.append(
            f"{says}the duration is taken as {better * SECONDS_PER_HOUR:.0f} s, which the energy of the "
            "memory over its constant power is."
        )
    else:
        notes.append(
            f"{says}the duration or the energy is wrong, and the log does not say which. The energy is kept, "
            "and the hours are left out; correct the wrong one."
        )
    return better


def _is_other_unit(row: Row, energy: float, pue: float, hours: float) -> bool:
    """Whether energy and power x duration differ as kWh and another unit do, and the duration is wrong.

    The emissions of the row say which of the two is wrong: they were worked out from kWh.

    Raises:
        BadCellError: the energy is in another unit, or nothing says which of the two is wrong.
    """
    times = {part: time for part in PARTS if (time := _constant_hours(row, part, pue))}
    if not times or hours <= 0:
        return False
    expected = _expected_kwh(row, pue, hours)
    constant = {part: unit_slip(times[part] / hours) for part in ("cpu", "ram") if part in times}
    of_parts = set(constant.values())
    of_total = unit_slip(energy / expected)
    slip = of_total or (of_parts.pop() if len(of_parts) == 1 else "")
    if not slip or _is_grid_intensity(row, energy * pue):
        return bool(slip)
    kwh = row.get("energy_consumed") or text_of(energy)
    says = f"{kwh} kWh is {UNIT_SLIPS[slip]:,g} times power x duration ({expected:.3g} kWh)"
    if not of_total:
        parts = ", ".join(f"{part}_energy" for part in constant)
        is_are = "is" if len(constant) == 1 else "are"
        says = f"{parts} {is_are} {UNIT_SLIPS[slip]:,g} times their power x duration"
    if _is_grid_intensity(row, energy * pue / UNIT_SLIPS[slip]):
        raise BadCellError(
            "energy_consumed", f"{says}: the energy looks like {slip}, as the emissions fit that; give kWh"
        )
    raise BadCellError(
        "energy_consumed, duration",
        f"{says} of {row['duration']} s: the energy looks like {slip}, or the duration is wrong. "
        f"{ONE_IS_WRONG}",
    )


def _expected_kwh(row: Row, pue: float, hours: float) -> float:
    """The powers of a row over its duration (kWh)."""
    watts = sum(_power_w(row, part, pue) for part in PARTS if _constant_hours(row, part, pue))
    return watts * hours / 1000  # Wh to kWh


def _fits(row: Row, energy: float, pue: float, hours: float) -> bool:
    """Whether the energy of a row is its powers over its duration."""
    expected = _expected_kwh(row, pue, hours)
    return expected > 0 and is_near(energy, expected, SLIP_TOLERANCE)


def _is_grid_intensity(row: Row, kwh: float) -> bool:
    """Whether the emissions of a row (kg) are those of a grid for so much energy."""
    try:
        least, most = GRID_KG_PER_KWH
        return least <= number(row, "emissions") / kwh <= most
    except BadCellError:
        return False


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


def _place(row: Row, notes: list[str]) -> Run:
    """The location of a row: its cloud region if that is known, else its state and country."""
    stated = row.get("cloud_region") or ""
    if region := locations.cloud_region(stated):
        return {"cloud_region": region}
    if stated:
        notes.append(f"cloud_region {stated!r} is unknown, so it was not used.")
    name, code = row.get("country_name") or "", row.get("country_iso_code") or ""
    return country_and_state(name, code, row.get("region") or "", notes)


def _timestamp(row: Row) -> datetime | None:
    """When a row was written; None where it is not stated, or its day and month cannot be told apart."""
    written = row.get("timestamp", "")
    if written and not dates.day(written):
        raise BadCellError(
            "timestamp", f"{written!r}, expected when the row was written, such as 2025-01-03T00:00:00"
        )
    return dates.moment(written)


def _day_before(row: Row, end: datetime | None, hours: float | None) -> str:
    """The day a run began: CodeCarbon dates a row when it writes it, at the end of its duration."""
    if end is None:
        return dates.day(row.get("timestamp", ""))  # a year at the most
    try:
        return (end - timedelta(hours=hours or 0)).date().isoformat()
    except OverflowError:
        raise BadCellError(
            "timestamp", f"{row['timestamp']!r} with a duration of {row['duration']} s"
        ) from None
