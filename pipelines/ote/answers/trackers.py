"""Logs of energy trackers as runs: Carbontracker, eco2AI, and what is the same for every tracker.

Belongs here: what the columns of these tools are in our units, and trackers that measured one machine. Does
not belong here: CodeCarbon (codecarbon.py), nvidia-smi (nvidia_smi.py), schedulers and bills (accounting.py),
or which tool wrote a file (imports.py).
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from ote import hardware_units
from ote.answers import dates, delimited, locations, quantities, ratings, texts
from ote.answers.delimited import BadCellError, Place, Reject, Row

Run = dict[str, str]
SECONDS_PER_HOUR = 3600
# What no machine draws: the highest board power of 2026 is 1,400 W, and hosts stay below 3 kW.
MOST_W_PER_GPU, MOST_W_OF_A_HOST = 1500, 3000
MOST_OF_RATING = 1.5  # of an accelerator whose rating is known, as in sql/estimate/problems.sql
# The makers of laptops set the power of a chip: NVIDIA gives 35 W to 115 W for an RTX 4050, rated 50 W here.
MOST_OF_LAPTOP_RATING, LAPTOP = 3, r"(?i)\b(?:laptop|mobile|max-q)\b"
# A judgement, since no source here has the power of idle cards: memory, leakage and the link to the host draw
# more than 0.5 % of the rating, and seldom below 5 %. Chips of laptops and within a processor switch off.
LEAST_OF_RATING, IDLE_OF_RATING = 0.005, 0.05
SWITCHED_OFF = rf"{LAPTOP}|\b(?:apple|jetson|orin|xavier|nvgpu|graphics)\b"
# Timestamps have whole seconds: what overlaps by less does not overlap.
CLOCK_S = 2
# Trackers that read the same counters agree but for both ends, as they read every 15 s; processors this well.
SAME_COUNTERS, ENDS_S = 1.01, 30
MOST_GPUS_OF_A_HOST = 16
PROCESSORS_UNCLEAR = "processors read or estimated from their rated power (the log does not say which)"
NOT_METERED = "fans, power supplies and network not included"
# What an energy is in another unit over the same one in kWh, but for powers that were read a moment too late.
UNIT_SLIPS, SLIP_TOLERANCE = {"Wh": 1e3, "J": 3.6e6, "MWh": 1e-3}, 1.25
UNREAD = ("", "none", "nan", "n/a", "[n/a]", "[not supported]", "null")
ONE_IS_WRONG = "One of the two is wrong, and the log does not say which: give kWh and seconds"
EXAMPLE_BY_HAND = (
    "Give the hours or the energy by hand, for example: "
    "ote estimate --hardware A100 --chips 8 --hours 72 --country DE, or "
    "ote estimate --energy 40 --country DE (kWh, before PUE; 3.6 million J are 1 kWh)"
)
# Of a Carbontracker log; the power of many devices are an array that goes on over several lines.
MEASUREMENT = (
    r"Duration: (?P<negative>-?)(?:(?P<d>\d+) days?, )?(?P<h>\d+):(?P<m>\d\d):(?P<s>\d\d(?:\.\d+)?)"
    r"|Average power usage \(W\) for (?P<part>\w+): (?P<draws>(?:array\()?\[[^\[\]:]*\]\)?|[^\[\n]+)"
)
NUMBER = r"\d+(?:\.\d*)?(?:e[+-]?\d+)?|nan"
MEASURED_LINE = r"Duration:|Average power usage"
LOCATION = r"detected location:? ([^\n\[]+?)(?:\. Defaulted|:? \[|\.?$)"  # by the address on the internet
# What eco2AI names as the method of its last reading, from 0.3.13 on.
ECO2AI_METHODS = {
    "rapl": "processors read from RAPL, by the share of the process unless the tracker counts all",
    "tdp": "processors estimated from their rated power and load",
    "nvml_energy": "GPUs read from the driver (its counter of energy)",
    "nvml_power": "GPUs read from the driver (its power, x time)",
    "nvml_not_used": "GPUs at 0, as the process did not use them at the last reading",
}
# The output of Carbontracker: sums since the start, multiplied by a PUE that only its other log names.
CARBONTRACKER_OUTPUT = r"CarbonTracker: |(?:Actual|Predicted) consumption(?: for|:)"
CONSUMED = (
    r"Actual consumption(?: for (?P<epochs>\d+) epoch\(s\))?:\s+"
    r"Time:\s*(?P<h>\d+):(?P<m>\d\d):(?P<s>\d\d)\s+Energy:\s*(?P<kwh>\d+(?:\.\d+)?) kWh"
)
WITH_PUE = (
    "Carbontracker's output, whose energies are multiplied by a PUE that it does not name. Import the file "
    "beside it whose name ends in _carbontracker.log, or give the PUE with --pue-included. It was 1.58 or "
    "1.59 before version 1.1.7, 1.55 from that version on, and is 1.58 since September 2024"
)
TRAINING, TRAINING_BEGINS = "The following components were found", r"(?m)^(?=.*{})"
POWERS_OF_1_0 = r"Power usages for (?:gpu|cpu): \["  # of Carbontracker 1.0, which wrote no durations


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A run of a log and where it is there; a run of the whole log has no line."""

    place: Place = field(default_factory=Place)
    run: Run


Part = Placed | str | Reject  # of a log: a run, a sentence on what is in none, or a row that is not taken


@dataclass(frozen=True, kw_only=True)
class Host:
    """The machine about the GPUs of a tracker: what is said of it, and what its processors and memory used.

    is_constant: the energy of the processors is their power over the time, as of any machine of their kind.
    gpus: how many of the GPUs of the machine were tracked, and how many it has.
    """

    machine: tuple[str, ...]
    kwh: float
    cpu_kwh: float
    is_constant: bool
    gpus: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one tracker measured: hours and kWh of the machine, and when, if that is known."""

    place: Place
    runs: list[Run]
    hours: float | None
    energy_kwh: float
    gpu_kwh: float | None = None
    end: datetime | None = None
    machine: tuple[str, ...] | None = None
    host: Host | None = None

    @cached_property
    def start(self) -> datetime | None:
        """When it began."""
        return self.end - timedelta(hours=self.hours) if self.end and self.hours else None


def country_and_state(name: str, code: str, region: str, notes: list[str]) -> Run:
    """A country and its state, as far as the dataset has a grid of them; the others are noted."""
    country = locations.country(name, code)
    if name and not country:
        notes.append(f"country {name!r} is unknown, so it was not used.")
    named, coded = locations.country_code(name), locations.country_code(code)
    if named and coded and named != coded:
        notes.append(
            f"the country is {name!r} by its name and {locations.country_name(coded)!r} by its code, {code}: "
            f"{name} is used. If that is wrong, correct the log."
        )
    state = locations.state(region, country)
    if region and not state and country:
        named_country = locations.country_name(locations.country_code(country) or "")
        notes.append(
            f"region {region!r} of {named_country} is not used: the dataset has no grid of it, so the mean "
            "of the country is taken. If you know its intensity, add it to the runs, in the column "
            "carbon_intensity_g_per_kwh."
        )
    return {"site_country": country, "site_state": state}


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


def of_each_kind(
    run: Run, kinds: Sequence[tuple[str, int]], hours: float | None, notes: list[str]
) -> list[Run]:
    """A run for each kind of accelerator of one whose energy was not measured."""
    return [
        {**run, "model": f"{run['model']} ({name})", **counted_as(name, chips, hours, "driver", notes)}
        for name, chips in kinds
    ]


def names_left_out(gpus: str) -> str:
    """What to say of accelerators of several kinds, since a run has one."""
    return (
        f"the accelerators are of several kinds, or not clear ({gpus}): the run is kept without their names. "
        "Its measured energy counts; without one, give each kind as a run with its own chips and hours."
    )


def counted_once(measured: list[Measured], distinct: bool) -> Iterator[Part]:
    """Runs, with the time that several trackers measured the same machine counted once.

    Rows are of one machine if all that they say of it is alike, their times overlap, and their mean powers
    are within a factor of two. Where the times are the same, the energies of the GPUs must be, too: trackers
    that read the same counters agree. Where they differ and each tracker has one GPU, each is another GPU
    unless its readings are exactly those of another. The longest is taken whole; of another the share of its
    time that none covers.
    """
    shares: dict[Place, float] = {each.place: 1.0 for each in measured}
    merged: Counter[Place] = Counter()
    again: dict[Place, float] = {}  # kWh of a host that another line counts
    if not distinct:
        groups: dict[tuple[str, ...], list[Measured]] = {}
        for each in measured:
            if each.machine and each.start:
                groups.setdefault(each.machine, []).append(each)
        for group in groups.values():
            yield from _shares_of_a_machine(group, shares, merged, again)
        unnamed = [each for each in measured if not each.machine]
        yield from _hosts_once(unnamed, again)
        yield from _note_overlaps([each for each in unnamed if each.place not in again])
    for each in measured:
        share = shares[each.place]
        for run in each.runs if share > 0 else ():
            if run.get("metering") and (more := merged[each.place]):
                once = quantities.counted(more, "more tracker")
                says = f"{run['metering']}; {once}, taken as of the same machine, counted once"
                run = run | {"metering": says}
            if each.place in again:
                run = run | {
                    "energy_kwh": text_of(float(run["energy_kwh"]) - again[each.place]),
                    "metering": f"{run['metering']}; processors and memory counted once for all of a machine",
                }
            yield Placed(place=each.place, run=run if share == 1 else _scaled(run, share))


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


def _hosts_once(measured: list[Measured], again: dict[Place, float]) -> Iterator[str]:
    """Note the processors and memory of machines whose GPUs several trackers measured one by one."""
    groups: dict[tuple[str, ...], list[Measured]] = {}
    for each in measured:
        if each.host and each.start:
            groups.setdefault(each.host.machine, []).append(each)
    for group in groups.values():
        if len(group) > 1 and _is_one_host(group):
            yield _host_once(group, again)


def _host_once(group: list[Measured], again: dict[Place, float]) -> str:
    first, *others = group
    again.update({each.place: each.host.kwh for each in others if each.host})
    lines = delimited.lines_named([each.place.line for each in group])
    return (
        f"{lines}: taken as GPUs of one machine, as their processors and memory read alike at the same time. "
        f"Processors and memory are counted once, with line {first.place.line}. If they are different "
        "machines, import with --distinct-machines."
    )


def _is_one_host(group: Sequence[Measured]) -> bool:
    """Whether trackers of one time that read other GPUs read the same processors.

    An energy that is a power over the time is the same on any such machine; then the GPUs must add up to
    those of one machine, or each tracker have another single GPU, as the ranks of a job have.
    """
    first = group[0]
    hosts = [each.host for each in group if each.host and _is_same_time(first, each)]
    if len(hosts) < len(group) or not first.host or not first.hours:
        return False
    tolerance = SAME_COUNTERS + ENDS_S / (first.hours * SECONDS_PER_HOUR)
    tracked, of_machine = sum(host.gpus[0] for host in hosts), first.host.gpus[1]
    is_whole = tracked == of_machine > first.host.gpus[0]
    most = of_machine if of_machine > 1 else MOST_GPUS_OF_A_HOST
    are_ranks = tracked == len(group) <= most and len({each.gpu_kwh for each in group}) > 1
    return all(
        is_near(host.cpu_kwh, first.host.cpu_kwh, tolerance) and is_near(host.kwh, first.host.kwh, tolerance)
        for host in hosts
    ) and (is_whole or are_ranks or not any(host.is_constant for host in hosts))


def _shares_of_a_machine(
    group: list[Measured], shares: dict[Place, float], merged: Counter[Place], again: dict[Place, float]
) -> Iterator[str]:
    taken: dict[Place, Measured] = {}
    dropped: dict[Place, list[Place]] = {}
    at_once = _at_once(group)
    has_ranks = any(
        _read_other_gpus(each, other)
        for each in filter(_has_one_gpu, group)
        for other in filter(_has_one_gpu, at_once[each.place])
    )
    for each in sorted(group, key=_longest_first):
        same = [
            other
            for other in at_once[each.place]
            if other.place in taken and _alike(each, other) and not _are_apart(each, other, has_ranks)
        ]
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
        taken[each.place] = each
    with_others = {place: [b for b in at_once[place] if b.place in taken] for place in taken}
    apart = sorted(
        (a for a in taken.values() if any(_are_apart(a, b, has_ranks) for b in with_others[a.place])),
        key=lambda a: a.place.line,
    )
    is_one = bool(apart) and _is_one_host(apart)
    if is_one:
        yield _host_once(apart, again)
    if unlike := sorted(
        a.place.line for a in taken.values() if any(not _alike(a, b) for b in with_others[a.place])
    ):
        yield (
            f"{delimited.lines_named(unlike)} overlap in time on machines that are described alike, but "
            "their powers are more than a factor of two apart: taken as different machines. If several "
            "trackers measured one machine, keep one line of them."
        )
    if apart and not is_one:
        hosts = [each.host.kwh for each in apart if each.host]
        more = f"; that takes off {sum(hosts) - max(hosts):.3g} kWh" if hosts else ""
        lines = delimited.lines_named([each.place.line for each in apart])
        yield (
            f"{lines} are of the same time and of machines that are described alike, but the energies of "
            "their GPUs differ: they are taken as different GPUs, each with processors and memory. If "
            f"those are of one host, leave them out of all lines but one{more}. If several trackers read the "
            "same GPUs, keep one line of them."
        )
    for place, others in dropped.items():
        merged[place] = len(others)
        lines = ", ".join(str(other.line) for other in others[:10]) + ", ..." * (len(others) > 10)
        yield (
            f"Line {place.line} and {len(others):,} more ({lines}) are taken as the same machine at the same "
            "time, as they read alike: counted once. If they are different machines, import with "
            "--distinct-machines."
        )


def _at_once(group: Sequence[Measured]) -> dict[Place, list[Measured]]:
    """The other trackers that ran at the same time as each, the longest first."""
    found: dict[Place, list[Measured]] = {each.place: [] for each in group}
    running: list[Measured] = []
    for start, each in sorted(((each.start, each) for each in group if each.start), key=lambda pair: pair[0]):
        running = [other for other in running if other.end and other.end > start]
        for other in running:
            if _overlap(each, other) > 0:
                found[each.place].append(other)
                found[other.place].append(each)
        running.append(each)
    for others in found.values():
        others.sort(key=_longest_first)
    return found


def _longest_first(each: Measured) -> tuple[float, int]:
    return -(each.hours or 0), each.place.line


def _overlap(a: Measured, b: Measured) -> float:
    """Seconds that two trackers ran at once, beyond what rounded clocks make."""
    if a.start is None or b.start is None or a.end is None or b.end is None:
        return 0.0
    return (min(a.end, b.end) - max(a.start, b.start)).total_seconds() - CLOCK_S


def _alike(a: Measured, b: Measured) -> bool:
    powers = (a.energy_kwh / (a.hours or 1), b.energy_kwh / (b.hours or 1))
    return max(powers) <= 2 * min(powers)


def _read_other_gpus(a: Measured, b: Measured) -> bool:
    """Whether two trackers ran at the same time, and the energies of their GPUs differ."""
    if not (a.gpu_kwh and b.gpu_kwh and a.hours and b.hours):
        return False
    if not (_is_same_time(a, b) and a.start and b.start and a.end and b.end):
        return False
    apart_s = abs((a.start - b.start).total_seconds()) + abs((a.end - b.end).total_seconds())
    tolerance = 1 + (ENDS_S + apart_s) / (min(a.hours, b.hours) * SECONDS_PER_HOUR)
    return not is_near(a.gpu_kwh, b.gpu_kwh, tolerance)


def _has_one_gpu(each: Measured) -> bool:
    return bool(each.gpu_kwh) and each.runs[0].get("chips") == "1"


def _are_apart(a: Measured, b: Measured, has_ranks: bool) -> bool:
    """Whether two trackers read other GPUs; ranks with a GPU each do, unless all their readings are equal."""
    is_equal = (a.gpu_kwh, a.energy_kwh) == (b.gpu_kwh, b.energy_kwh)
    are_ranks = has_ranks and _has_one_gpu(a) and _has_one_gpu(b) and not is_equal
    return _read_other_gpus(a, b) or (are_ranks and _is_same_time(a, b))


def _is_same_time(a: Measured, b: Measured) -> bool:
    """Whether two trackers began and ended together, but for what a tracker takes to start."""
    shorter, longer = sorted((a.hours or 0, b.hours or 0))
    begin_s = 0.98 * shorter * SECONDS_PER_HOUR
    return a is b or (_overlap(a, b) >= begin_s > 0 and longer <= 1.01 * shorter)


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


def _scaled(run: Run, share: float) -> Run:
    scaled = dict(run)
    for column in ("training_hours", "chip_hours", "energy_kwh"):
        if scaled.get(column):
            scaled[column] = text_of(float(scaled[column]) * share)
    return scaled


@dataclass(kw_only=True)
class Epoch:
    """An epoch of Carbontracker: seconds, watts of each component, and what is not measured or wrong."""

    place: Place
    seconds: float
    watts: dict[str, float]
    notes: list[str] = field(default_factory=list)
    unread: list[tuple[Place, str, str]] = field(default_factory=list)
    wrong: list[Reject] = field(default_factory=list)


def carbontracker(text: str, file: str, _: float | None, __: bool) -> Iterator[Part]:
    """Carbontracker: epochs with a duration and mean W per component; the log's own draws are without PUE."""
    text, copies = _without_copies(text, r"carbontracker version")
    yield from copies
    epochs, early = _epochs(text)
    if not epochs and re.search(POWERS_OF_1_0, text):
        raise UnknownUnitError(
            f"{file}: Carbontracker 1.0 wrote the power of each epoch (W), and no durations. The energy is "
            f"the mean power x the hours from 'started' to 'ended' / 1000. {EXAMPLE_BY_HAND}"
        )
    yield from early
    yield from _damaged(text, epochs)
    yield from dict.fromkeys(note for epoch in epochs for note in epoch.notes)
    parts = {part for epoch in epochs for part in epoch.watts}
    for number, epoch in enumerate(epochs, start=1):
        where, part, _written = epoch.unread[-1] if epoch.unread else (epoch.place, "any component", "")
        if epoch.wrong:
            yield from epoch.wrong
        elif not epoch.seconds:
            yield Reject(place=epoch.place, reason=f"epoch {number}: a duration of 0 or less")
        elif not epoch.watts:
            yield Reject(place=where, reason=f"epoch {number}: a duration without a measured power of {part}")
        elif missing := parts - set(epoch.watts):
            names = ", ".join(sorted(missing))
            yield f"Epoch {number}: power of {names} not measured, and not in the energy."
    never = {part: written for epoch in epochs for _, part, written in epoch.unread if part not in parts}
    for part, written in sorted(never.items()) if parts else ():
        yield f"Power of {part}: not measured ({written}), and not in the energy."
    if taken := [epoch for epoch in epochs if epoch.seconds and epoch.watts and not epoch.wrong]:
        times = "N" if len(taken) == 1 else f"N / {len(taken):,}"
        yield (
            f"Epochs taken: {len(taken):,}. Carbontracker measures one unless monitor_epochs says more: if "
            f"the training had N, its hours and energy are {times} times these."
        )
        joules = sum(sum(epoch.watts.values()) * epoch.seconds for epoch in taken)
        of = quantities.counted(len(taken), "measured epoch")
        parts = {part for epoch in taken for part in epoch.watts}
        seconds = sum(epoch.seconds for epoch in taken)
        yield from _carbontracker_runs(text, file, seconds, joules / 3.6e6, parts, f"{of} alone")  # J to kWh


def carbontracker_output(text: str, file: str, pue_included: float | None, _: bool) -> Iterator[Part]:
    """Carbontracker's output: hours and kWh since the start, of which the last are of the whole training."""
    if not pue_included:
        raise UnknownUnitError(f"{file}: {WITH_PUE}. {EXAMPLE_BY_HAND}")
    text, copies = _without_copies(text, TRAINING)
    yield from copies
    for training in re.split(TRAINING_BEGINS.format(TRAINING), text):
        found = [*re.finditer(CONSUMED, training)]
        if not found and _devices(training, r"\w+"):
            yield "A training without an actual consumption is left out; what is predicted was not measured."
        if not found:
            continue
        hours, minutes, seconds = (int(found[-1][part]) for part in ("h", "m", "s"))
        lasted = timedelta(hours=hours, minutes=minutes, seconds=seconds).total_seconds()
        parts = {part for part in ("gpu", "cpu") if _devices(training, part)}
        of = f"{quantities.counted(int(found[-1]['epochs'] or 1), 'measured epoch')} alone; " * bool(
            found[-1]["epochs"]
        )
        yield from _carbontracker_runs(
            training,
            file,
            lasted,
            float(found[-1]["kwh"]) / pue_included,
            parts,
            f"{of}divided by the PUE of {pue_included:g} that the energy includes",
        )
        yield (
            f"Energies are divided by {pue_included:g}, the PUE that they include by --pue-included. An "
            "estimate multiplies by the PUE of the location, once."
        )


def _without_copies(text: str, begin: str) -> tuple[str, list[str]]:
    """A log whose trainings that another one repeats or goes on from are empty lines, and what to say of it.

    Nothing else has the same seconds and readings: the log was joined with a copy of it.
    """
    parts = re.split(TRAINING_BEGINS.format(begin), text)
    stems = [part.rstrip() if re.match(r"\d{4}-\d\d-\d\d ", part) else "" for part in parts]
    lines: list[int] = []
    for index, stem in enumerate(stems):
        others = (at for at, other in enumerate(stems) if at != index and other.startswith(stem))
        if re.search(r"Duration:|Actual", stem) and any(
            len(stems[at]) > len(stem) or at < index for at in others
        ):
            lines.append("".join(parts[:index]).count("\n") + 1)
            parts[index] = "\n" * parts[index].count("\n")
    says = "a training that is in the log again, with the same times and readings; counted once."
    return "".join(parts), [f"{delimited.lines_named(lines)}: {says}"] * bool(lines)


def _devices(text: str, part: str) -> list[str]:
    """The names of the devices of a component, such as gpu."""
    devices = re.search(rf"(?i)\b{part} with device\(s\) ([^.]+)\.", text)
    return [name.strip() for name in devices[1].split(",")] if devices else []


def _epochs(text: str) -> tuple[list[Epoch], list[Reject]]:
    """The epochs of a log, and powers that stand before any duration; a power of exactly 0 was not read."""
    gpus = _devices(text, "gpu")
    gpu = gpus[0] if len(set(gpus)) == 1 else ""
    epochs: list[Epoch] = []
    early: list[Reject] = []
    for found in re.finditer(MEASUREMENT, text):
        place = Place(line=text.count("\n", 0, found.start()) + 1)
        if found["draws"] is None:
            days, hours, minutes, seconds = (float(found[part] or 0) for part in ("d", "h", "m", "s"))
            length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
            seconds = 0.0 if found["negative"] else length
            epochs.append(Epoch(place=place, seconds=seconds, watts={}))
            continue
        watts = re.findall(NUMBER, re.sub(r"(?:np\.)?float(?:16|32|64)\b|dtype=\w+", "", found["draws"]))
        if not epochs:
            early.append(Reject(place=place, reason=f"a power before any duration: {found[0]!r}"))
        elif not watts or "nan" in watts or not any(map(float, watts)):
            epochs[-1].unread.append((place, found["part"], found["draws"].strip()))
        else:
            times, note = _devices_in_a_mean(text, found["part"], found["draws"])
            epochs[-1].notes += note
            epochs[-1].watts[found["part"]] = times * sum(map(float, watts))
            try:
                if found["part"] == "gpu":
                    refuse_power("gpu", max(map(float, watts)), gpu)
            except BadCellError as error:
                reject = Reject(place=place, column=error.column, reason=error.reason)
                epochs[-1].wrong.append(reject)
    return epochs, early


def _devices_in_a_mean(text: str, part: str, draws: str) -> tuple[int, list[str]]:
    """Of how many devices a power is the mean, and a sentence if that is more than one.

    From version 2 on, Component.collect_power_usage puts the powers of all devices into one list, so the mean
    that is written is of one device. Before, it was an array with the mean of each.
    """
    version = re.search(r"carbontracker version (\d+)", text)
    count = len(_devices(text, part))
    if "[" in draws or count < 2 or version is None or int(version[1]) < 2:
        return 1, []
    says = f"Carbontracker {version[1]} writes the mean power of the {count} devices of {part}"
    return count, [f"{says}: multiplied by {count}."]


def _damaged(text: str, epochs: list[Epoch]) -> Iterator[Part]:
    """Remains of a crash: NUL bytes, and a duration that breaks off; of a power, the whole epoch is wrong."""
    whole = {text.count("\n", 0, found.start()) for found in re.finditer(MEASUREMENT, text)}
    lines = text.split("\n")
    only_nul = [
        (number, delimited.ONLY_NUL) for number, line in enumerate(lines, 1) if delimited.is_only_nul(line)
    ]
    yield from delimited.lines_without_rows(only_nul)
    for index, line in enumerate(lines):
        place = Place(line=index + 1)
        before = [epoch for epoch in epochs if epoch.place.line < place.line]
        if "\0" in line and not delimited.is_only_nul(line):
            yield Reject(place=place, reason=delimited.NUL_BYTES)
        elif (found := re.search(MEASURED_LINE, line)) and index not in whole:
            cut = line[found.start() :].strip()
            reject = Reject(place=place, reason=f"{cut!r} breaks off; {delimited.HALF_LINE}")
            if "power" in found[0] and before:
                before[-1].wrong.append(reject)
            else:
                yield reject


def _carbontracker_runs(
    text: str, file: str, seconds: float, kwh: float, parts: set[str], of: str
) -> Iterator[Part]:
    """The runs of a training: one, or one of each kind of GPUs that were not read."""
    hours = seconds / SECONDS_PER_HOUR
    kinds = Counter(_devices(text, "gpu"))
    is_read = not kinds or "gpu" in parts
    notes: list[str] = []
    run = {
        "model": re.sub(r"_carbontracker(?:_output)?$", "", named_after(file)),
        "training_hours": text_of(hours),
        "energy_kwh": text_of(kwh) if is_read else "",
        "metering": f"{_carbontracker_metering(text, parts)}; {of}" if is_read else "",
        "started": text[:10] if re.match(r"\d{4}-\d\d-\d\d", text) else "",
        **_carbontracker_location(text, notes),
    }
    if not is_read:
        notes.append("the GPU was not read, so the energy is not taken as measured; it will be estimated.")
    if len(kinds) > 1 and not is_read:
        runs = of_each_kind(run, list(kinds.items()), hours, notes)
    elif len(kinds) > 1:
        notes.append(names_left_out(", ".join(kinds.elements())))
        runs = [run]
    else:
        ((hardware, chips),) = kinds.items() or [("", 0)]
        runs = [{**run, **counted_as(hardware, chips or None, hours, "driver", notes)}]
    yield from (Placed(run=each) for each in runs)
    yield from (f"{note[:1].upper()}{note[1:]}" for note in notes)


def _carbontracker_location(text: str, notes: list[str]) -> Run:
    """Country and state of the first location that was found, such as Copenhagen, Capital Region, DK."""
    for found in re.findall(LOCATION, text, re.MULTILINE):
        *_, region, code = ["", *re.split(r",\s*", found)]
        if locations.country(code):
            return country_and_state(code, "", region, notes)
    return {}


def _carbontracker_metering(text: str, parts: set[str]) -> str:
    """What Carbontracker read; without RAPL it takes half of a processor's rated power."""
    is_rapl = re.search(r"CPU with device\(s\) (?:cpu|dram|core|uncore|psys):\d", text)
    says = {
        "gpu": "GPUs read from the driver",
        "cpu": "processors read from RAPL" if is_rapl else PROCESSORS_UNCLEAR,
    }
    version = re.search(r"carbontracker version (\S+)", text)
    who = f"Carbontracker {version[1]}" if version else "Carbontracker"
    read = ", ".join(says.get(part, part) for part in sorted(parts, reverse=True))
    return f"{who}: {read or 'the log does not name what was read'}; {NOT_METERED}"


def eco2ai(text: str, file: str, pue_included: float | None, distinct: bool) -> Iterator[Part]:
    """eco2AI: kWh (once spelt kWTh) and seconds; energies hold its tracker's PUE, 1 by default.

    Each epoch of a training is a row of the same id, with a start, seconds and kWh of its own. The column
    region/country holds country/region, in brackets where the user gave the intensity; in the first versions,
    which wrote no id, it held region/country.
    """
    table = delimited.parse(text)
    energy = next((name for name in table.header if name.startswith("power_consumption(")), "")
    table = delimited.with_points(table, (energy, "duration(s)"))
    yield from delimited.lines_without_rows(table.asides)
    yield from table.rejects
    if energy.lower() not in ("power_consumption(kwh)", "power_consumption(kwth)"):
        raise UnknownUnitError(f"{file}: energy in an unknown unit, column {energy!r}; expected kWh")
    if not pue_included:
        yield "A log of eco2AI has no PUE; if the tracker was given one, import with --pue-included."
    measured = []
    trainings: dict[Place, tuple[str, ...]] = {}
    states: dict[tuple[str, ...], Measured] = {}
    for place, row in table.rows:
        try:
            notes: list[str] = []
            each = _eco2ai_run(place, row, energy, pue_included, notes)
            yield from (f"Line {place.line}: {note}" for note in notes)
        except BadCellError as error:
            yield Reject(place=place, column=error.column, reason=error.reason)
            continue
        measured.append(each)
        machine = tuple(row.get(name, "") for name in ("project_name", "CPU_name", "GPU_name", "OS"))
        start = row.get("start_time", "")
        trainings[place] = (row.get("id") or start or str(place), *machine)
        # Starts have whole seconds: epochs below one may share them, and no state of one is written so early.
        is_whole = (each.hours or 0) * SECONDS_PER_HOUR < 1
        state = (*trainings[place], start, row.get("epoch", "") if is_whole else "")
        states[state] = max(each, states.get(state, each), key=lambda m: (m.hours or 0, m.place.line))
    last = [each for each in measured if each in states.values()]
    if earlier := len(measured) - len(last):
        yield f"Rows left out, as a later one of the same training and start holds them: {earlier:,}."
    yield from _added_up(counted_once(last, distinct), trainings)


def _added_up(parts: Iterable[Part], trainings: Mapping[Place, tuple[str, ...]]) -> Iterator[Part]:
    """The parts of a log, with the epochs of each training as one run, where its first one is."""
    epochs: dict[tuple[str, ...], list[Placed]] = {}
    for part in parts:
        if isinstance(part, Placed):
            epochs.setdefault(trainings[part.place], []).append(part)
        else:
            yield part
    for each in epochs.values():
        sums = {
            column: text_of(sum(float(part.run[column]) for part in each))
            for column in ("training_hours", "chip_hours", "energy_kwh")
            if each[0].run.get(column)
        }
        started = min(part.run["started"] for part in each)
        yield Placed(place=each[0].place, run={**each[0].run, **sums, "started": started})
    if several := [len(each) for each in epochs.values() if len(each) > 1]:
        yield (
            f"Epochs of one training, by its id, are added up: {sum(several):,} rows of "
            f"{quantities.counted(len(several), 'training')}."
        )


def named_after(file: str) -> str:
    """What to call the run of a log that names none: as its file; empty of a log that was piped."""
    return "" if file == texts.PIPE else Path(file).stem


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
    if "id" not in row and _is_region_first(name, region):
        name, region = region, name
    started = row.get("start_time", "")
    run = {
        "model": base_name(row.get("project_name", "")),
        **counted_as(hardware, chips or None, hours, "driver", notes),
        "training_hours": text_of(hours),
        "energy_kwh": text_of(energy),
        "metering": f"eco2AI: {', '.join(_eco2ai_metering(row, bool(chips)))}; {NOT_METERED}",
        **country_and_state(name.strip(), "", region.strip(), notes),
        "started": dates.day(started),
    }
    begin = dates.moment(started)
    notes += filter(None, [dates.unclear("start_time", started)])
    if started and not run["started"]:
        raise BadCellError("start_time", f"{started!r}, expected a time such as 2025-01-03 00:00:00")
    return Measured(
        place=place,
        runs=[run],
        hours=hours,
        energy_kwh=energy,
        end=begin + timedelta(hours=hours) if begin else None,
        machine=(*(row.get(name, "") for name in ("CPU_name", "GPU_name", "OS")), country) if chips else None,
    )


def _is_region_first(first: str, second: str) -> bool:
    """Whether two places are a region and its country, as in Texas/US and Georgia/US."""
    is_code = len(first) > 2 == len(second)
    return bool(locations.country(second)) and (is_code or not locations.country(first))


def _eco2ai_gpus(row: Row, notes: list[str]) -> tuple[str, int]:
    gpu = re.match(r"(.*?)\s*[/ ]?\s*(\d+) device\(s\)", (row.get("GPU_name") or "").strip())
    hardware, chips = (gpu[1].strip(" /"), int(gpu[2])) if gpu else ("", 0)
    if chips and not hardware:
        notes.append(f"{chips} GPUs without a name; give it with --hardware.")
    if chips and _eco2ai_method(row, "GPU_name").endswith("_not_used"):
        notes.append(
            f"{chips} x {hardware} is not in the energy, as the process did not use it at the last reading: "
            "the run is kept without its accelerator."
        )
        return "", 0
    kinds = {kind.strip() for kind in hardware.split("/")}
    if "," in hardware or (len(kinds) > 1 and all(map(ratings.is_known, kinds))):
        notes.append(names_left_out(f"{chips} of {hardware}"))
        return "", chips
    return hardware if chips else "", chips


def _eco2ai_method(row: Row, column: str) -> str:
    """The method of the last reading that a name ends with; empty before version 0.3.13."""
    found = re.search(r"\bmethod:(\S+)", row.get(column, ""))
    return found[1] if found else ""


def _eco2ai_metering(row: Row, has_gpus: bool) -> list[str]:
    """How each component was measured."""
    gpu, cpu = _eco2ai_method(row, "GPU_name"), _eco2ai_method(row, "CPU_name")
    ways = [ECO2AI_METHODS.get(way, f"accelerators read by {way}") for way in gpu.split("+") if way]
    if has_gpus and not ways:
        ways = ["GPUs read from the driver"]
    return [
        *ways,
        ECO2AI_METHODS.get(cpu or "tdp", f"processors read by {cpu}"),
        "memory estimated from its size",
    ]


def _refuse_too_much(row: Row, column: str, energy: float, hours: float, chips: int) -> None:
    """Refuse an energy that is none, or that no such machine could use in its time."""
    if energy == 0 or hours == 0:
        raise BadCellError(column, f"{row[column]} kWh in {row['duration(s)']} s: nothing was measured")
    most_kw = (chips * MOST_W_PER_GPU + MOST_W_OF_A_HOST) / 1000
    if energy / hours > most_kw:
        raise BadCellError(
            f"{column}, duration(s)",
            f"{energy:.3g} kWh in {row['duration(s)']} s is {energy / hours:.3g} kW, and "
            f"a machine of {quantities.counted(chips, 'GPU')} draws {most_kw:.3g} kW at the most. "
            f"{ONE_IS_WRONG}",
        )


def unit_slip(ratio: float) -> str:
    """The unit that an energy looks to be in if it is so many times what it should be in kWh; else empty."""
    units = (unit for unit, times in UNIT_SLIPS.items() if is_near(ratio, times, SLIP_TOLERANCE))
    return next(units, "")


def is_near(value: float, other: float, factor: float) -> bool:
    """Whether two positive numbers are within a factor."""
    return other / factor <= value <= other * factor


def refuse_power(column: str, watts: float, name: str) -> None:
    """Refuse a power that no accelerator of that name draws.

    Raises:
        BadCellError: names the power and the limit.
    """
    rated_w = ratings.rated_w(name)
    counting = hardware_units.counted(name, "driver") if rated_w else None
    each = counting.chips_each if counting else 1  # of a board with several GPUs each has its share
    most = MOST_OF_LAPTOP_RATING if re.search(LAPTOP, name) else MOST_OF_RATING
    most_w = most * rated_w * each if rated_w else MOST_W_PER_GPU
    if watts > most_w:
        share = "" if each == 1 else f" for {1 / each:g}"
        of = f"{name} is rated {rated_w:g} W{share}" if rated_w else "no accelerator draws that much"
        raise BadCellError(column, f"{watts:g} W, but {of}; expected {most_w:g} W at the most")


def share_of_rating(watts: float, name: str) -> float | None:
    """A power over the rating of an accelerator; None if that is not known, or the chip may switch off."""
    rated_w = None if re.search(SWITCHED_OFF, name) else ratings.rated_w(name)
    return watts / rated_w if rated_w else None


def base_name(name: str) -> str:
    """The last part of an absolute path, whose others are private; any other name as it is."""
    is_path = re.match(r"~?[/\\]|[A-Za-z]:[/\\]", name)
    return re.split(r"[/\\]", name.rstrip("/\\"))[-1] if is_path else name


def is_possible_power(watts: float, name: str) -> bool:
    """Whether an accelerator of that name can draw so much."""
    try:
        refuse_power("", watts, name)
    except BadCellError:
        return False
    return True


def is_known(cell: str) -> bool:
    """Whether a cell says anything."""
    return cell.strip().lower() not in UNREAD


def is_read(cell: str) -> bool:
    """Whether a component was measured: what is exactly 0 was not."""
    try:
        return is_known(cell) and delimited.number(cell) != 0
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
        raise BadCellError(column, f"{row[column]}, expected a finite number, 0 or more")
    return value


def text_of(value: float) -> str:
    """A number as a cell of a file of runs."""
    return f"{value:.12g}"
