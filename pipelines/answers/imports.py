"""Logs of other tools as runs that `ote estimate` takes: each unit read by name, each PUE taken out once.

Belongs here: which tool wrote a file, and what becomes of rows that cannot be taken. Does not belong here:
the columns of each tool (trackers.py, accounting.py), whether a run can be (sql/estimate/problems.sql), or
what it emitted: the tools' own tonnes are not taken over.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.answers import accounting, trackers
from pipelines.answers.delimited import Reject
from pipelines.answers.estimate import COLUMNS
from pipelines.answers.trackers import EXAMPLE_BY_HAND, Part, Run, UnknownUnitError

HEAD_LINES = 30  # within which a log says what wrote it
CARBONTRACKER_OUTPUT = r"CarbonTracker: |Actual consumption for|Predicted consumption for"


__all__ = ["Log", "Run", "UnknownLogError", "as_csv", "read", "refuse", "write"]


class UnknownLogError(Exception):
    """The file is of no tool known here, or not what that tool writes; the message says what was expected."""


@dataclass(frozen=True, kw_only=True)
class Log:
    """What a tool wrote: runs in the columns of estimate.COLUMNS, as text, and what is in none of them."""

    tool: str
    runs: list[Run]
    left_out: list[str]
    rejects: list[Reject]


def read(file: Path, pue_included: float | None = None, distinct_machines: bool = False) -> Log:
    """The runs of a file, a sentence on what none of them holds, and the rows that cannot be taken.

    Args:
        file: CodeCarbon's emissions.csv, Carbontracker's *_carbontracker.log, eco2AI's emission.csv, the
            output of `sacct`, a Google Cloud bill as CSV or JSON lines, or a log of nvidia-smi.
        pue_included: the PUE that the energies of the file hold already, where the tool does not say.
        distinct_machines: whether rows of like machines whose times overlap are of different machines.

    Raises:
        UnknownLogError: the file cannot be read, or no row of it can be taken.
    """
    text = _text_of_file(file)
    head = "\n".join(text.split("\n", HEAD_LINES)[:HEAD_LINES])
    for tool, mark, parse in READERS:
        if re.search(mark, head, re.MULTILINE):
            try:
                parts = list(parse(text, str(file), pue_included, distinct_machines))
            except UnknownUnitError as error:
                raise UnknownLogError(str(error)) from None
            runs = [part for part in parts if isinstance(part, dict)]
            left_out = [part for part in parts if isinstance(part, str)]
            rejects = sorted(
                (part for part in parts if isinstance(part, Reject)), key=lambda reject: reject.place.line
            )
            if not runs:
                says = (
                    f"{file}: {tool} wrote it, but it holds no run that used an accelerator and can be taken"
                )
                raise UnknownLogError("\n".join([says, *_named(file, rejects), *left_out]))
            return Log(tool=tool, runs=runs, left_out=left_out, rejects=rejects)
    raise UnknownLogError(_unknown(file, text, head))


def refuse(file: Path, rejects: Sequence[Reject]) -> None:
    """Refuse a file for the rows that cannot be taken.

    Raises:
        UnknownLogError: there is one; names them.
    """
    if rejects:
        raise UnknownLogError("\n".join(_named(file, rejects)))


def as_csv(runs: Sequence[Run]) -> str:
    """Runs as `ote estimate --batch` reads them."""
    buffer = io.StringIO()
    names = [name for name in COLUMNS if any(run.get(name) for run in runs)]
    writer = csv.DictWriter(buffer, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: cell for name, cell in run.items() if cell} for run in runs)
    return buffer.getvalue()


def write(runs: Sequence[Run], out: Path) -> None:
    """Write runs as CSV, whole or not at all."""
    partial = out.with_name(f".{out.name}.partial")
    try:
        partial.unlink(missing_ok=True)  # a link there would be followed
        partial.write_text(as_csv(runs), encoding="utf-8")
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


def _text_of_file(file: Path) -> str:
    try:
        data = file.read_bytes()
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):  # as PowerShell writes the output of a command
            text = data.decode("utf-16")
        else:
            text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnknownLogError(f"{file}: cannot be read ({error})") from None
    return text.replace("\r\n", "\n")


def _named(file: Path, rejects: Sequence[Reject]) -> Iterator[str]:
    return (f"{file}, {reject}" for reject in rejects)


def _unknown(file: Path, text: str, head: str) -> str:
    tools = ", ".join(tool for tool, _, _ in READERS)
    if re.search(CARBONTRACKER_OUTPUT, head):
        return (
            f"{file}: Carbontracker's output, whose energies are multiplied by a PUE that it does not name; "
            "import the file beside it whose name ends in _carbontracker.log"
        )
    if re.search(r"NVIDIA-SMI|^#\s*gpu\b", head, re.MULTILINE):
        return f"{file}: nvidia-smi in a form that is not read; log with {trackers.SMI}. {EXAMPLE_BY_HAND}"
    first = text.split("\n", 1)[0]
    return f"{file}: written by none of {tools}; its first line is {first[:80]!r}. {EXAMPLE_BY_HAND}"


Parse = Callable[[str, str, float | None, bool], Iterator[Part]]
READERS: tuple[tuple[str, str, Parse], ...] = (
    ("CodeCarbon", r"(?:^|[,;\t])\"?energy_consumed\b", trackers.codecarbon),
    ("Carbontracker", r"carbontracker version", trackers.carbontracker),
    ("eco2AI", r"power_consumption\(", trackers.eco2ai),
    ("Slurm's sacct", accounting.SACCT_HEADER, accounting.sacct),
    ("Google Cloud's billing export", r"(?i:sku[._ ]description)|\"sku\"\s*:", accounting.billing),
    ("nvidia-smi", r"(?:^|,)\s*power\.draw", trackers.nvidia_smi),
)
