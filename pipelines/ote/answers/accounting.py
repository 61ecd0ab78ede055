"""What a scheduler or a cloud bill says was used, as runs: Slurm's sacct, Google Cloud's billing export.

Belongs here: accelerators and hours out of their columns, in any of the forms these are exported in. Does not
belong here: energies that a tracker measured (trackers.py), or which tool wrote a file (imports.py).
"""

import json
import re
from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from ote import hardware_units
from ote.answers import dates, delimited, locations, ratings
from ote.answers.delimited import BadCellError, Place, Reject, Row, Table
from ote.answers.trackers import (
    EXAMPLE_BY_HAND,
    SECONDS_PER_HOUR,
    Part,
    Placed,
    UnknownUnitError,
    counted_as,
    is_read,
    number,
    text_of,
)

ENERGIES = ("ConsumedEnergyRaw", "ConsumedEnergy")
NO_ENERGY = (
    "whether it measures the node or the processors alone depends on a plugin of Slurm that the output does "
    "not name, and other jobs of the node are in it. If it is of your whole nodes, give it by hand: "
    "ote estimate --energy KWH (3.6 million J are 1 kWh)."
)
SACCT = "export with sacct -P -X --format=JobID,JobName,AllocTRES,ElapsedRaw,Start"
SACCT_MARKS = f"{delimited.SEPARATORS}^~#%@"  # of --delimiter
SACCT_HEADER = rf"(?:^|[ {re.escape(SACCT_MARKS)}])\"?JobID(?:Raw)?\"?(?:[ {re.escape(SACCT_MARKS)}]|$)"
# Slices of a chip (MIG) and shares of its time, https://slurm.schedmd.com/gres.html. Seven slices are the
# whole chip, and of an A30 four: https://docs.nvidia.com/datacenter/tesla/mig-user-guide/
WHOLE_CHIP = r"[_-]?(?:7g\.\d+gb|4g\.24gb)(?:\+[\w.]+)?"
PART_OF_A_CHIP = (
    rf"gpu:[\w.-]*{hardware_units.SLICE_OF_GPU}[\w.+-]*[=:]0*[1-9]\d*"
    r"|\b(?:gres/)?(?:shard|mps)(?::[\w.-]+)?[=:]0*[1-9]\d*"
)
NO_KIND = ("gpu", "gpus", "generic", "any")  # gres/gpu:gpu=4 names no kind
CUT = f"is cut: without -P, sacct cuts what is wider than its column; {SACCT}"
TRES = ("AllocTRES", "AllocGRES", "ReqTRES", "ReqGRES")
BETWEEN = (
    "No column Elapsed: the hours are those from Start to End on the clock of the cluster, with any time in "
    "which a job was suspended or the clock was changed"
)
STILL_RUNNING = ("RUNNING", "R")
NO_START = ("Unknown", "None")
# Of Intel and Google, and GPUs where the column that is read has none.
OTHER_ACCELERATORS = r"(?:gres/)?\b(?:hpu|tpu|npu|gaudi\d*|gpu)(?::[\w.-]+)?[=:]0*[1-9]\d*"
BY_HAND = "give its accelerators and hours by hand: ote estimate --hardware NAME --chips N --hours H"
OF_OLD_SLURM = ("AllocGRES", "ReqGRES")
NODES = ("NNodes", "AllocNodes", "ReqNodes")
# Lines of a Google Cloud bill that are no use of a chip, though they may name one; of commitments:
# https://cloud.google.com/billing/docs/how-to/cud-analysis-spend-based
SERVING = r"\bpredictions?\b|\binference\b|\bendpoints?\b|\bserving\b"  # of Vertex AI and AI Platform
SERVED = "prediction, endpoints, inference"
NO_USE = (
    ("fees for commitments (what ran under them has lines of its own)", r"\bcommitments?\b"),
    ("licences and other fees", r"\blicens|\bpremium for\b|\bfees?\b"),
    ("disks and their copies", r"\bdisks?\b|\bpd capacity\b|\bsnapshots?\b"),
    ("without a SKU, as totals and rounding are", r"^\s*$"),
)
ACCELERATORS = r"nvidia|\bgpus?\b|tpu|\btesla\b|\brtx\b"
OTHERS = (
    r"\b(?:v?cpus?|cores?|ram|memory|disks?|pd|ssd|storage|capacity|snapshots?|images?|network(?:ing)?|"
    r"egress|ingress|traffic|(?:data|inter)[ -]?transfer|ip|nat|load balanc\w*|forwarding rules?|vpn|dns|"
    r"operations?|requests?|log(?:s|ging)?|monitoring|tax|support)\b"
)
UNCLEAR = (
    "names an accelerator, but a bill does not say how many chips one unit of it is, or whether they ran. "
    "Give their chip-hours to ote estimate"
)
GOOGLE_NAMES = {"H100 80GB": "H100 SXM", "H200 141GB": "H200 SXM", "RTX 6000 96GB": "RTX PRO 6000 Blackwell"}
UNIT_HOURS = {"second": 1 / SECONDS_PER_HOUR, "s": 1 / SECONDS_PER_HOUR, "minute": 1 / 60, "hour": 1, "h": 1}
NO_JSON = "the text breaks off, or a comma, bracket or quote is missing"
# Columns of a record of use, https://cloud.google.com/billing/docs/how-to/export-data-bigquery-tables
RECORD = {"usage start time", "usage end time", "cost"}
AGAIN = (
    "equal to another line in every cell, and counted once with it, as one export is there twice. If it is "
    "use of its own, add its amount to the other line."
)
EQUAL = (
    "equal in every cell, and each counts, as no time of day tells them apart. If one is there twice, remove "
    "it."
)
CREDIT = (
    "left out, as a negative cost of a positive amount is a credit or a refund of money, and not use. If the "
    "use itself was taken back, make its amount negative, too."
)
COSTS = ("cost", "unrounded cost")
DAYS = ("usage start time", "usage start date")
PLACES = ("location region", "region", "location location", "location")
CONTINENTS = ("Americas", "EMEA", "APAC")
PROJECTS = ("project id", "project name", "project")
SKU, AMOUNT, UNIT = "sku description", "usage amount", "usage unit"


def sacct(text: str, file: str, _: float | None, __: bool) -> Iterator[Part]:
    """Slurm: accelerators of a job from AllocTRES, wall-clock from ElapsedRaw (s) or Elapsed.

    Steps of a job repeat its hours and are left out. Jobs that failed used energy too, and count.
    """
    table = _sacct_table(text)
    yield from delimited.lines_without_rows(table.asides)
    yield from table.rejects
    resources = _resources(table, file)
    if resources.startswith("Req"):
        yield f"Accelerators as requested ({resources}); what was allocated is not in the file."
    if not {"Elapsed", "ElapsedRaw"} & set(table.header):
        yield f"{BETWEEN}; {SACCT}"
    if energy := next(
        (name for name in ENERGIES if any(is_read(row.get(name, "")) for _, row in table.rows)), ""
    ):
        yield f"{energy} is not used: {NO_ENERGY}"
    left_out: Counter[str] = Counter()
    of_steps = _accelerators_of_steps(table.rows, resources)
    jobs = [(place, row) for place, row in table.rows if "." not in _job(row)]
    jobs, renamed = _by_one_number(jobs)
    if renamed:
        yield (
            f"{delimited.lines_named(renamed)}: left out, as a job of an array with the same Start, hours "
            "and accelerators is in another line with its JobID. If these are other jobs, import them alone."
        )
    if waiting := [place.line for place, row in jobs if _never_ran(row)]:
        yield f"{delimited.lines_named(waiting)}: never ran, by State or Start; no run is lost with it."
    jobs = [(place, row) for place, row in jobs if not _never_ran(row)]
    again = _counted_elsewhere(jobs)
    whole = {place for place, row in jobs if place in again and again[place] >= _elapsed(row)}
    if whole:
        lines = delimited.lines_named([place.line for place, _ in jobs if place in whole])
        yield f"{lines}: left out, as another line has the same job with as many hours or more."
    if parts := [place.line for place, _ in jobs if place in again and place not in whole]:
        yield (
            f"{delimited.lines_named(parts)}: a part of the time is in another line of the same job, and "
            "counts once, as a job cannot run twice at once."
        )
    jobs = [(place, row) for place, row in jobs if place not in whole]
    yield from _perhaps_twice(jobs)
    yield from _taken_as_total(jobs, resources)
    yield from _unclear_days(jobs, ["Start"])
    for place, row in jobs:
        job = _job(row)
        try:
            hours = (_elapsed(row) - again.get(place, 0)) / SECONDS_PER_HOUR
            yield from _jobs(place, row, job, hours, _of_a_job(row, resources, of_steps), left_out)
        except BadCellError as error:
            yield Reject(place=place, column=error.column, reason=error.reason)
    yield from (f"{says}: {count:,}." for says, count in left_out.items())


def _taken_as_total(jobs: Sequence[tuple[Place, Row]], resources: str) -> Iterator[str]:
    """A sentence on jobs of several nodes whose accelerators older versions of Slurm wrote."""
    lines = [
        place.line
        for place, row in jobs
        if resources in OF_OLD_SLURM and row[resources] and "PER_" not in row[resources] and _nodes(row) > 1
    ]
    if lines:
        yield (
            f"{delimited.lines_named(lines)}: {resources} is taken as the total of all nodes of the job, as "
            "Slurm wrote it up to 19.05. If it counts the accelerators of one node, multiply it by NNodes in "
            "the log."
        )


def _nodes(row: Row) -> int:
    """The nodes of a job; 0 where the log does not say it."""
    written = next((row[name] for name in NODES if row.get(name)), "")
    return int(written) if written.isdecimal() else 0


def _accelerators_of_steps(rows: Sequence[tuple[Place, Row]], resources: str) -> dict[str, str]:
    """The accelerators of a step of each job that has one with any."""
    found: dict[str, str] = {}
    for _, row in rows:
        job, _, step = _job(row).partition(".")
        if step and (accelerators := re.search(OTHER_ACCELERATORS, row[resources])):
            found.setdefault(job, accelerators[0])
    return found


def _resources(table: Table, file: str) -> str:
    """The column that has the accelerators of a job.

    Raises:
        UnknownUnitError: there is none, or none of the hours, or the lines are steps of jobs alone.
    """
    resources = next((name for name in TRES if name in table.header), None)
    if resources is None:
        raise UnknownUnitError(f"{file}: neither AllocTRES nor AllocGRES; {SACCT}")
    if not ({"Elapsed", "ElapsedRaw"} & set(table.header) or {"Start", "End"} <= set(table.header)):
        raise UnknownUnitError(
            f"{file}: no column Elapsed or ElapsedRaw, which has the hours of a job. Add ElapsedRaw to the "
            f"--format of your command; {SACCT}"
        )
    if table.rows and all("." in _job(row) for _, row in table.rows):
        raise UnknownUnitError(
            f"{file}: steps of jobs alone (JobID such as {_job(table.rows[0][1])}), which share the hours of "
            f"their job; {SACCT}"
        )
    return resources


def _of_a_job(row: Row, resources: str, of_steps: Mapping[str, str]) -> str:
    """The accelerators of a job on all of its nodes.

    ReqGRES is their sum up to Slurm 19.05: ngres_req x node_cnt, later total_gres. Slurm 20.02 wrote what
    was asked of a job, node, socket or task (_fill_in_gres_fields in node_scheduler.c).

    Raises:
        BadCellError: they are of a part of the job.
    """
    if not row[resources] and (found := of_steps.get(_job(row))):
        raise BadCellError(
            resources,
            f"empty, and a step of job {_job(row)} has {found}, which may be a part of its accelerators; "
            f"write those of the job into its line, or {BY_HAND}",
        )
    of = set(re.findall(r"\bPER_(\w+):", row[resources]))
    if of <= {"JOB"} or (of == {"NODE"} and _nodes(row) == 1):
        return row[resources]
    raise BadCellError(resources, f"{row[resources]!r} is not of the whole job; {SACCT}")


def _job(row: Row) -> str:
    return row.get("JobID") or row.get("JobIDRaw") or ""


def _state(row: Row) -> str:
    """The state of a job, such as FAILED; empty if it is not stated."""
    words = row.get("State", "").split()
    return words[0].rstrip("+").upper() if words else ""


def _never_ran(row: Row) -> bool:
    """Whether a job waits or was never started, whatever its hours."""
    has_no_start = row.get("Start") in NO_START and _state(row) in ("", "CANCELLED")
    return _state(row) == "PENDING" or has_no_start


def _by_one_number(jobs: Sequence[tuple[Place, Row]]) -> tuple[list[tuple[Place, Row]], list[int]]:
    """Jobs by their JobID, and the lines that have one again by its JobIDRaw alone.

    A job of an array is 200_1 by the one and 201 by the other; a line with both says so. Without such a
    line, an equal Start, time and accelerators do.
    """
    named = {row["JobIDRaw"]: row["JobID"] for _, row in jobs if row.get("JobID") and row.get("JobIDRaw")}
    known = {row["JobID"] for _, row in jobs if row.get("JobID")}
    of_arrays = Counter(_use(row) for _, row in jobs if "_" in row.get("JobID", ""))
    found: list[tuple[Place, Row]] = []
    again: list[int] = []
    for place, row in jobs:
        raw = row.get("JobIDRaw", "") if not row.get("JobID") else ""
        if raw and raw not in {*named, *known} and row.get("Start") and of_arrays[_use(row)] > 0:
            of_arrays[_use(row)] -= 1
            again.append(place.line)
        else:
            found.append((place, {**row, "JobID": named.get(raw, raw)} if raw else row))
    return found, again


def _use(row: Row) -> tuple[str, ...]:
    """What a job used and when."""
    return tuple(row.get(name, "") for name in ("Cluster", "Start", "Elapsed", "ElapsedRaw", "End", *TRES))


def _counted_elsewhere(jobs: Sequence[tuple[Place, Row]]) -> dict[Place, float]:
    """Seconds of a line that other lines of its job have: joined exports name a job again.

    A job that was requeued has another Start, and counts again, but it cannot run twice at once. Without
    Start, lines with the same hours and state, and those of a job that still ran, are earlier states.
    """
    found: dict[tuple[str, ...], list[tuple[Place, Row, float]]] = {}
    for place, row in ((place, row) for place, row in jobs if _job(row)):
        start = row.get("Start", "")
        key = (_job(row), row.get("Cluster", ""), "" if dates.moment(start) else start or NO_START[0])
        try:
            found.setdefault(key, []).append((place, row, _elapsed(row)))
        except BadCellError:
            continue  # named where its hours are read
    again: dict[Place, float] = {}
    for (_, _, undated), lines in found.items():
        if not undated:
            again |= _at_once(lines)
            continue
        lines.sort(key=lambda line: (line[2], _state(line[1]) not in STILL_RUNNING, line[0].line))
        for (place, row, seconds), (_, after, longer) in pairwise(lines):
            is_same = seconds == longer and _state(row) == _state(after)
            if is_same or undated not in NO_START or _state(row) in STILL_RUNNING:
                again[place] = seconds
    return again


def _at_once(lines: Sequence[tuple[Place, Row, float]]) -> dict[Place, float]:
    """Seconds of each line in which one that began before it ran, or with it and was longer."""
    again: dict[Place, float] = {}
    spans = [(dates.moment(row["Start"]) or datetime.min, seconds, place) for place, row, seconds in lines]
    reached = datetime.min
    for start, seconds, place in sorted(spans, key=lambda span: (span[0], -span[1], -span[2].line)):
        if start < reached:
            again[place] = min(seconds, (reached - start).total_seconds())
        reached = max(reached, start + timedelta(seconds=seconds))
    return again


def _perhaps_twice(jobs: Sequence[tuple[Place, Row]]) -> Iterator[str]:
    """A sentence on jobs without Start that are in several lines, which each count."""
    lines: dict[tuple[str, str], list[int]] = {}
    for place, row in jobs:
        if not row.get("Start"):
            lines.setdefault((_job(row), row.get("Cluster", "")), []).append(place.line)
    if again := [line for each in lines.values() if len(each) > 1 for line in each]:
        yield (
            f"{delimited.lines_named(sorted(again))}: several lines of one job, and each counts, since no "
            f"Start tells them apart. If one is an earlier state of the job, remove it; {SACCT}"
        )


def _jobs(
    place: Place, row: Row, job: str, hours: float, tres: str, left_out: Counter[str]
) -> Iterator[Part]:
    """A run for each kind of accelerator of a job."""
    if hours and (part := re.search(PART_OF_A_CHIP, tres)):
        column = next(name for name in TRES if name in row)
        raise BadCellError(
            column, f"job {job} used only a part of an accelerator, {part[0]!r}; what that used is not known"
        )
    kinds = _kinds(tres)
    if hours and not kinds and (other := _other_accelerators(row)):
        column, found = other
        raise BadCellError(column, f"job {job} has {found}, and no GPU in the column that is read; {BY_HAND}")
    if not hours or not kinds:
        left_out["Jobs left out because they have no accelerator or no time"] += 1
        return
    state = _state(row)
    if state not in ("", "COMPLETED"):
        left_out[f"Jobs in the state {state}, counted because they used energy"] += 1
    started = dates.day(row.get("Start", ""))
    if not started and row.get("Start"):
        left_out["Jobs without a start that can be read, estimated as of today"] += 1
    name = row.get("JobName") or job
    for kind, chips in kinds:
        notes: list[str] = []
        run = {
            "model": f"{name} ({kind or 'other accelerators'})" if len(kinds) > 1 else name,
            **counted_as(_product(kind), chips, hours, "scheduler", notes),
            "training_hours": text_of(hours),
            "started": started,
        }
        yield Placed(place=place, run=run)
        yield from (f"Line {place.line}: {note}" for note in notes)


def _other_accelerators(row: Row) -> tuple[str, str] | None:
    """Accelerators that are not GPUs, or that were requested alone: the column and what it says."""
    cells = ((name, re.search(OTHER_ACCELERATORS, row.get(name, ""))) for name in TRES)
    return next(((name, found[0]) for name, found in cells if found), None)


def _kinds(tres: str) -> list[tuple[str, int]]:
    """The accelerators of a job by the name of their kind; an empty name is of those that have none."""
    typed = re.findall(r"(?:gres/)?gpu:([\w.+-]+)=(\d+)", tres) or re.findall(
        r"(?:gres/)?gpu:([\w.+-]*[A-Za-z][\w.+-]*):(\d+)", tres
    )
    kinds: Counter[str] = Counter()
    for kind, count in typed:
        name = re.sub(WHOLE_CHIP, "", kind)
        kinds["" if name.lower() in NO_KIND else name] += int(count)
    total = re.search(r"(?:gres/)?gpu[=:](\d+)(?:,|$)", tres)
    if total and int(total[1]) > sum(kinds.values()):
        kinds[""] += int(total[1]) - sum(kinds.values())
    return [(kind, count) for kind, count in kinds.items() if count]


def _product(kind: str) -> str:
    """The accelerator that an administrator calls so: rtx_3090 is written out, and 2080ti gets its line."""
    name = kind.replace("_", " ")
    if sized := re.fullmatch(r"(.*\d\w*)[ -](\d{2,})g", name, re.IGNORECASE):  # a100-40g
        with_memory = f"{sized[1]} {sized[2]}GB"
        known = (spelling for spelling in (with_memory, sized[1]) if ratings.is_known(spelling))
        return next(known, name)
    if re.fullmatch(r"[456]000 ?ada", name, re.IGNORECASE):
        return f"RTX {name[:4]} Ada"
    if re.fullmatch(r"(?:9|10|16)\d{2} ?(?:ti|super)?", name, re.IGNORECASE):
        return f"GTX {name}"
    if re.fullmatch(r"[2-5]0\d{2} ?(?:ti|super)?", name, re.IGNORECASE):
        return f"RTX {name}"
    return name


def _sacct_table(text: str) -> Table:
    """The output of sacct with any delimiter, or in columns of fixed width."""
    lines = text.split("\n")
    at = next(index for index, line in enumerate(lines) if re.search(SACCT_HEADER, line))
    rest = lines[at:]
    if len(rest) > 1 and re.fullmatch(r"[- ]*-{3}[- ]*", rest[1].rstrip()):
        return _fixed_width(rest, at + 1)
    mark = delimited.separator(rest[0], SACCT_MARKS)
    if mark not in rest[0].strip():
        raise UnknownUnitError(f"line {at + 1}: columns of fixed width, which sacct cuts; {SACCT}")
    if mark != ",":
        return delimited.parse("\n".join(rest), mark, quoted='"' in rest[0], first_line=at + 1)
    header = rest[0].rstrip("\r").split(",")
    tres = [index for index, name in enumerate(header) if name.strip() in TRES]
    if len(tres) == 1 and not any('"' in line for line in rest):  # the commas of TRES are not quoted by sacct
        rest = ["|".join(_joined(line.rstrip("\r").split(","), tres[0], len(header))) for line in rest]
        return delimited.parse("\n".join(rest), "|", quoted=False, first_line=at + 1)
    return delimited.parse("\n".join(rest), mark, first_line=at + 1)


def _joined(cells: list[str], at: int, width: int) -> list[str]:
    more = len(cells) - width
    return cells if more <= 0 else [*cells[:at], ",".join(cells[at : at + more + 1]), *cells[at + more + 1 :]]


def _fixed_width(lines: list[str], first_line: int) -> Table:
    spans = [found.span() for found in re.finditer(r"-+", lines[1])]
    table = Table(header=[lines[0][begin:end].strip() for begin, end in spans])
    for line_number, line in enumerate(lines[2:], start=first_line + 2):
        if not line.strip():
            continue
        if delimited.is_only_nul(line):
            table.asides.append((line_number, delimited.ONLY_NUL))
            continue
        if line.rstrip() in (lines[0].rstrip(), lines[1].rstrip()):
            table.asides.append((line_number, delimited.HEADER_AGAIN))
            continue
        place = Place(line=line_number, row=len(table.rows) + len(table.rejects) + 1)
        row = {name: line[begin:end].strip() for name, (begin, end) in zip(table.header, spans, strict=True)}
        cut = next((name for name in (*TRES, "JobID") if row.get(name, "").endswith("+")), None)
        if cut:
            table.rejects.append(Reject(place=place, column=cut, reason=f"{row[cut]!r} {CUT}"))
        else:
            table.rows.append((place, row))
    return table


def _elapsed(row: Row) -> float:
    """Seconds from ElapsedRaw, from Slurm's [days-]hours:minutes:seconds, or between Start and End."""
    written = row.get("Elapsed", "")
    found = re.fullmatch(r"(?:(?:(\d+)-)?(\d+):)?(\d+):(\d\d)(?:\.\d+)?", written)
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else [0] * 4
    clock = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
    if row.get("ElapsedRaw"):
        raw = number(row, "ElapsedRaw")
        if found and int(raw) != clock:
            raise BadCellError("Elapsed, ElapsedRaw", f"{written} is {clock:g} s, and not {raw:g} s; {SACCT}")
        return raw
    if "Elapsed" not in row and "ElapsedRaw" not in row:
        start, end = dates.moment(row["Start"]), dates.moment(row["End"])
        if not start or not end or end < start:
            raise BadCellError(
                "End", f"{row['End']!r} with Start {row['Start']!r}: the hours are not known; {SACCT}"
            )
        return (end - start).total_seconds()
    if not found:
        raise BadCellError("Elapsed", f"{written!r}, and no ElapsedRaw; {SACCT}")
    return clock


def billing(text: str, file: str, _: float | None, __: bool) -> Iterator[Part]:
    """Google Cloud billing export: accelerators x time of each chip's SKU, by region and month.

    Read are the nested and the flattened columns of BigQuery, as CSV or JSON lines, and what the console
    writes. Corrections are negative lines, and are taken off; what gives money back alone is left out.
    """
    table = _billing_table(text)
    yield from delimited.lines_without_rows(table.asides)
    yield from table.rejects
    names = {_column(name): name for name in table.header}
    amounts = [("usage amount", "usage unit"), ("usage amount in pricing units", "usage pricing unit")]
    amount, unit = next(((a, u) for a, u in amounts if a in names and u in names), (None, None))
    if amount is None or unit is None or SKU not in names:
        raise UnknownUnitError(
            f"{file}: neither sku.description with usage.amount and usage.unit, nor the console's "
            f"'SKU description', 'Usage amount' and 'Usage unit' of Google Cloud. {EXAMPLE_BY_HAND}"
        )
    notes: list[str] = []
    rows = _counted_once(table, names.keys() >= RECORD, notes)
    rows = _of_use(rows, names, amount, notes)
    yield from notes
    spent: dict[tuple[str, str, str, str], float] = {}
    lines: Counter[str] = Counter()
    of_chips = [(place, row) for place, row in rows if _chip_of(row[names[SKU]])]
    yield from _unclear_days(of_chips, [names[name] for name in DAYS if name in names])
    for place, row in rows:
        cells = {column: row[name] for column, name in names.items()}
        sku = cells[SKU]
        try:
            if kind := _no_use(sku, cells.get("cost type", "")):
                lines[f"Lines left out, {kind}"] += 1
            elif chip := _chip_of(sku):
                hours = _hours(cells, amount, unit, names, table.mark)
                lines["Corrections that reduce earlier use"] += hours < 0
                region = _region(cells, sku)
                day = next((cells[name] for name in DAYS if cells.get(name)), "")
                project = next((cells[name] for name in PROJECTS if cells.get(name)), "")
                key = (chip, region, _month(day), project)
                spent[key] = spent.get(key, 0) + hours
            elif re.search(ACCELERATORS, sku, re.IGNORECASE):
                raise BadCellError(names[SKU], f"{sku!r} {UNCLEAR}{_cores(sku)}")
            elif re.search(OTHERS, sku, re.IGNORECASE):
                lines["Lines left out, no accelerator (processors, memory, disks, network and the like)"] += 1
            else:
                lines[f"Lines left out, not known here, and perhaps an accelerator, {sku!r}"] += 1
        except BadCellError as error:
            yield Reject(place=place, column=error.column, reason=error.reason)
    yield from (f"{says}: {count:,}." for says, count in lines.items() if count)
    has_projects = len({project for *_, project in spent}) > 1
    for (chip, region, month, project), hours in sorted(spent.items()):
        yield from _billed(chip, region, month, project if has_projects else "", hours)


def _unclear_days(rows: Sequence[tuple[Place, Row]], columns: Sequence[str]) -> Iterator[str]:
    """A sentence on each line whose day and month cannot be told apart."""
    for place, row in rows:
        column = next((name for name in columns if row.get(name)), "")
        if column and (says := dates.unclear(column, row[column])):
            yield f"Line {place.line}: {says}"


def _of_use(
    rows: Sequence[tuple[Place, Row]], names: Row, amount: str, notes: list[str]
) -> list[tuple[Place, Row]]:
    """The lines of a bill without those of serving and those that give money back, which are noted."""
    costs = [names[column] for column in COSTS if column in names]
    serving = {place for place, row in rows if re.search(SERVING, row[names[SKU]], re.IGNORECASE)}
    credits = {
        place
        for place, row in rows
        if place not in serving and _chip_of(row[names[SKU]]) and _is_credit(row, names[amount], costs)
    }
    for places, says in (
        (serving, f"left out, as a model is served there ({SERVED}), which is not training."),
        (credits, CREDIT),
    ):
        notes += [f"{delimited.lines_named(sorted(place.line for place in places))}: {says}"] * bool(places)
    return [(place, row) for place, row in rows if place not in serving | credits]


def _counted_once(table: Table, is_record: bool, notes: list[str]) -> list[tuple[Place, Row]]:
    """The lines of a bill without those that are there again, and what to say of equal ones.

    A record of BigQuery has the time of its use, so an equal one is the same. Other exports may have equal
    lines, but where a header comes again, another export begins, which may have the lines of an earlier one.
    """
    joined = [line for line, kind in table.asides if kind == delimited.HEADER_AGAIN]
    found: dict[tuple[tuple[str, str], ...], list[Place]] = {}
    for place, row in table.rows:
        found.setdefault(tuple(sorted(row.items())), []).append(place)
    again: set[Place] = set()
    equal: set[Place] = set()
    for places in found.values():
        of_export: Counter[int] = Counter()
        kept: list[Place] = []
        for place in places:
            export = bisect(joined, place.line)
            of_export[export] += 1
            is_again = bool(kept) and (is_record or of_export[export] <= len(kept))
            if is_again:
                again.add(place)
            else:
                kept.append(place)
        equal |= set(kept if len(kept) > 1 else [])
    for those, says in ((again, AGAIN), (equal, EQUAL)):
        lines = delimited.lines_named(sorted({place.line for place in those}))
        notes += [f"{lines}: {says}"] * bool(those)
    return [(place, row) for place, row in table.rows if place not in again]


def _billed(hardware: str, region: str, month: str, project: str, hours: float) -> Iterator[Part]:
    name = " ".join(part for part in (hardware, region, month, project and f"({project})") if part)
    if hours <= 1e-9:
        yield f"{name}: corrections take off all {hardware} hours; left out."
        return
    counting = hardware_units.named(hardware) or hardware_units.counted(hardware, "bill")
    if counting:
        of_units = f"{hours:g} h of the bill count as {hours * counting.chips_each:g} chip-hours"
        yield f"{name}: {counting.says}, so {of_units}."
        hours *= counting.chips_each
    known = locations.cloud_region(region) or locations.region_at(region, "Google")
    country = "" if known else locations.country(region)
    if region and not known and not country:
        yield f"{name}: location {region!r} is not one known region of Google, so it was not used."
    run = {
        "model": name,
        "hardware": counting.model if counting else hardware,
        "chip_hours": text_of(hours),
        "cloud_region": known,
        "site_country": country,
        "started": month,
    }
    yield Placed(run=run)


def _billing_table(text: str) -> Table:
    lines = text.split("\n")
    if re.match(r"\s*[\[{]", text):
        return _json_table(text, lines)
    headers = (index for index, line in enumerate(lines) if re.search(r"(?i)sku[._ ]description", line))
    at = next(headers, 0)
    table = delimited.parse("\n".join(lines[at:]), first_line=at + 1)
    return delimited.with_points(table, [name for name in table.header if _column(name).startswith(AMOUNT)])


def _json_table(text: str, lines: list[str]) -> Table:
    """JSON lines, or an array, of records as BigQuery exports them, flattened."""
    table = Table(header=[])
    records: list[tuple[Place, Any]] = []
    if text.lstrip().startswith("["):
        try:
            records = [(Place(line=1, row=n), record) for n, record in enumerate(json.loads(text), start=1)]
        except json.JSONDecodeError as error:
            table.rejects.append(Reject(place=Place(line=error.lineno), reason=f"no JSON ({NO_JSON})"))
    else:
        for line_number, line in enumerate(lines, start=1):
            place = Place(line=line_number, row=len(records) + len(table.rejects) + 1)
            try:
                if delimited.is_only_nul(line):
                    table.asides.append((line_number, delimited.ONLY_NUL))
                elif line.strip():
                    records.append((place, json.loads(line)))
            except json.JSONDecodeError:
                table.rejects.append(Reject(place=place, reason=f"no JSON ({NO_JSON})"))
    flat = [(place, _flattened(record)) for place, record in records]
    header = list(dict.fromkeys(name for _, row in flat for name in row))
    table.header.extend(header)
    table.rows.extend((place, dict.fromkeys(header, "") | row) for place, row in flat)
    return table


def _flattened(record: Any, prefix: str = "") -> Row:
    flat: Row = {}
    for name, cell in record.items() if isinstance(record, dict) else ():
        if isinstance(cell, dict):
            flat |= _flattened(cell, f"{prefix}{name}.")
        else:
            flat[prefix + name] = "" if cell is None else str(cell)
    return flat


def _column(name: str) -> str:
    return re.sub(r"[^a-z]+", " ", name.lower()).strip()


def _no_use(sku: str, cost_type: str) -> str | None:
    if cost_type and cost_type.lower() not in ("usage", "regular", "adjustment"):
        return f"of the cost type {cost_type!r}"
    return next((kind for kind, words in NO_USE if re.search(words, sku, re.IGNORECASE)), None)


def _is_credit(row: Row, amount: str, costs: Sequence[str]) -> bool:
    """Whether a line gives money back and no use: -10, -$10, (10.00) for an amount that is not negative."""
    is_negative = any(re.match(r"\D*[-\N{MINUS SIGN}(]\D*[\d.,]*[1-9]", row[cost]) for cost in costs)
    return is_negative and not re.match(r"\D*-", row[amount]) and is_read(row[amount].replace(",", ""))


def _cores(sku: str) -> str:
    """How the units of an older TPU are given by hand, if they are cores."""
    tpu = re.search(r"\btpu[ -]?(v[2-4])\b", sku, re.IGNORECASE)
    return f"; cores with --hardware 'TPU {tpu[1].lower()} core'" if tpu else ""


def _chip_of(sku: str) -> str:
    """The chip that one unit of a SKU is, in a spelling of the dataset; empty if it is none, or not clear.

    TPUs are billed by the chip from v5 on, and by the slice where the SKU names one (TPU v3-8). A unit of the
    other older ones ("Tpu-v3 Pod") may be a core, a chip, or a device of eight cores; and a reservation is
    billed also while nothing runs on it.
    """
    if re.search(r"\breserved\b", sku, re.IGNORECASE):
        return ""
    if of_slices := hardware_units.slice_in(sku):
        return of_slices
    if tpu := re.search(r"\btpu ?(v5e|v5p|v6e|7x)\b", sku, re.IGNORECASE):
        return f"TPU {tpu[1].lower()}"
    gpu = re.search(
        r"(?:\b(?:nvidia|tesla) )+([^(]+?) (?:\(1 )?gpu\b|\b(H200 141GB) GPU\b|\b(RTX 6000 96GB)\b",
        sku,
        re.IGNORECASE,
    )
    if not gpu:
        return ""
    name = re.sub(r" (?:plus|mega)\b", "", gpu[1] or gpu[2] or gpu[3], flags=re.IGNORECASE)  # of the machine
    return GOOGLE_NAMES.get(name.upper(), name)


def _hours(cells: Row, amount: str, unit: str, names: Row, mark: str) -> float:
    noun = cells[unit].strip().lower().removesuffix("s") or cells[unit]
    if noun not in UNIT_HOURS:
        raise BadCellError(names[unit], f"{cells[unit]!r}, expected seconds or hours of an accelerator")
    written = cells[amount]
    if mark == "," and re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", written):
        written = written.replace(",", "")
    try:
        return delimited.number(written) * UNIT_HOURS[noun]
    except ValueError as error:
        raise BadCellError(names[amount], str(error)) from None


def _region(cells: Row, sku: str) -> str:
    """The region of a line, else the place that its columns or its SKU name, such as Iowa."""
    stated = next((cells[column] for column in PLACES if cells.get(column)), "")
    place = re.search(r" (?:running )?in ([A-Z][A-Za-z .,-]+)$", sku)
    return stated or (place[1] if place and place[1] not in CONTINENTS else "")


def _month(written: str) -> str:
    return written[:7] if re.match(r"\d{4}-\d\d", written) else dates.day(written)[:7]
