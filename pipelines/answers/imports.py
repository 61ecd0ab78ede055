"""Logs of other tools as runs that `ote estimate` takes: each unit read by name, each PUE taken out once.

Belongs here: which tool wrote a file, and what its columns are in our units. Does not belong here: whether
a run can be (sql/estimate/problems.sql), or what it emitted: the tools' own tonnes are not taken over.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pipelines.answers.estimate import COLUMNS

Run = dict[str, str]
Part = Run | str  # of a log: a run, or a sentence on what is in none
Row = Mapping[str, str]

SECONDS_PER_HOUR = 3600

# Of a Carbontracker log; the draws of many devices are an array that goes on over several lines.
MEASUREMENT = (
    r"Duration: (?:(?P<d>\d+) days?, )?(?P<h>\d+):(?P<m>\d\d):(?P<s>\d\d(?:\.\d+)?)"
    r"|Average power usage \(W\) for \w+: (?P<draws>\[[^\]]*\]|.+)"
)
SACCT = "export with sacct -P -X --format=JobID,JobName,AllocTRES,ElapsedRaw,Start"
# Slices of a chip (MIG) and shares of its time, https://slurm.schedmd.com/gres.html
PART_OF_A_CHIP = r"gpu:[\w.-]*\d+g\.\d+gb[\w.-]*[=:]\d+|\b(?:gres/)?(?:shard|mps)(?::[\w.-]+)?[=:]\d+"
# Lines of a Google Cloud bill that are no use of a chip, though they may name one; of commitments:
# https://cloud.google.com/billing/docs/how-to/cud-analysis-spend-based
NO_USE = (
    ("fees for commitments (what ran under them has lines of its own)", r"\bcommitments?\b"),
    ("licences and other fees", r"\blicens|\bpremium for\b|\bfees?\b"),
)
ACCELERATORS = r"nvidia|\bgpus?\b|tpu|\btesla\b|\brtx\b"
OTHERS = (
    r"\b(?:v?cpus?|cores?|ram|memory|disks?|pd|ssd|storage|capacity|snapshots?|images?|network(?:ing)?|"
    r"egress|ingress|traffic|(?:data|inter)[ -]?transfer|ip|nat|load balanc\w*|forwarding rules?|vpn|dns|"
    r"operations?|requests?|log(?:s|ging)?|monitoring|tax|support)\b"
)
UNCLEAR = (
    "names an accelerator, but a bill does not say how many chips one unit of it is, or whether they ran. "
    "Take such lines out of the file, and give their chip-hours to ote estimate."
)
GOOGLE_NAMES = {"H100 80GB": "H100 SXM", "H200 141GB": "H200 SXM", "RTX 6000 96GB": "RTX PRO 6000 Blackwell"}


class UnknownLogError(Exception):
    """The file is of no tool known here, or not what that tool writes; the message says what was expected."""


@dataclass(frozen=True, kw_only=True)
class Log:
    """What a tool wrote: runs in the columns of estimate.COLUMNS, as text, and what is in none of them."""

    tool: str
    runs: list[Run]
    left_out: list[str]


def read(file: Path, pue_included: float | None = None) -> Log:
    """The runs of a file, and a sentence on each kind of line that none of them holds.

    Args:
        file: CodeCarbon's emissions.csv, Carbontracker's *_carbontracker.log, eco2AI's emission.csv, the
            output of `sacct -P`, or a Google Cloud billing export as CSV.
        pue_included: the PUE that the energies of the file hold already, where the tool does not say.

    Raises:
        UnknownLogError: the file cannot be read, or a cell is not what the tool writes.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnknownLogError(f"{file}: cannot be read ({error})") from None
    first = text.split("\n", 1)[0]
    for tool, mark, parse in READERS:
        if re.search(mark, first):
            parts = list(parse(text, str(file), pue_included))
            runs = [part for part in parts if not isinstance(part, str)]
            left_out = [part for part in parts if isinstance(part, str)]
            if not runs:
                raise UnknownLogError(
                    "\n".join(
                        [f"{file}: {tool} wrote it, but it holds no run that used an accelerator", *left_out]
                    )
                )
            return Log(tool=tool, runs=runs, left_out=left_out)
    tools = ", ".join(tool for tool, _, _ in READERS)
    raise UnknownLogError(f"{file}: written by none of {tools}; its first line is {first[:80]!r}")


def write(runs: list[Run], out: Path) -> None:
    """Write runs as CSV, whole or not at all."""
    partial = out.with_name(f".{out.name}.partial")
    try:
        partial.unlink(missing_ok=True)  # a link there would be followed
        with partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [name for name in COLUMNS if any(run.get(name) for run in runs)])
            writer.writeheader()
            writer.writerows({name: cell for name, cell in run.items() if cell} for run in runs)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


def _codecarbon(text: str, file: str, pue_included: float | None) -> Iterator[Part]:
    """CodeCarbon: kWh and seconds; energies hold the PUE of the column `pue`, where there is one."""
    rows = list(_rows(text, file))
    last = _last_of_each_run(rows, file)
    if earlier := len(rows) - len(last):
        yield f"Rows left out, as a later one of the same run_id holds them: {earlier:,}."
    for number, row in last:
        pue = _number(row, "pue", file, number) if row.get("pue") else pue_included or 1
        if pue < 1:
            raise UnknownLogError(f"{file}, row {number}, pue: {row['pue']}, expected a PUE of 1 or more")
        energy = _number(row, "energy_consumed", file, number) / pue
        seconds = _number(row, "duration", file, number)
        found = re.fullmatch(r"(\d+) x ((?:(?! x ).)+)", row.get("gpu_model") or "")
        yield {
            "model": row.get("project_name", ""),
            "hardware": found[2] if found else "",
            "chips": found[1] if found else "",
            "training_hours": _text(seconds / SECONDS_PER_HOUR),
            "energy_kwh": _text(energy),
            "pue": _text(pue) if pue > 1 else "",
            "provider": row.get("cloud_provider") or "",
            "cloud_region": row.get("cloud_region") or "",
            "site_country": "" if row.get("cloud_region") else row.get("country_name", ""),
            "started": _day_before(row, seconds, file, number),
        }


def _last_of_each_run(rows: Iterable[tuple[int, Row]], file: str) -> list[tuple[int, Row]]:
    """The last row of each run_id: every flush() appends the run so far, and its energy never falls.

    Rows of tasks are parts of a run, not states of it. The first versions wrote no run_id, and a row a run.
    """
    last: dict[str | int, tuple[int, Row]] = {}
    for number, row in rows:
        run = number if row.get("task_name") else row.get("run_id") or number
        energy = _number(row, "energy_consumed", file, number)
        if run not in last or energy >= float(last[run][1]["energy_consumed"]):
            last[run] = (number, row)
    return list(last.values())


def _day_before(row: Row, seconds: float, file: str, number: int) -> str:
    """The day a run began: CodeCarbon dates a row when it writes it, at the end of its duration."""
    written = row.get("timestamp", "")
    if not written:
        return ""
    try:
        return (datetime.fromisoformat(written) - timedelta(seconds=seconds)).date().isoformat()
    except (ValueError, OverflowError):
        raise UnknownLogError(
            f"{file}, row {number}, timestamp: {written!r} with a duration of {seconds:.12g} s; "
            "expected when the row was written, such as 2025-01-03T00:00:00"
        ) from None


def _carbontracker(text: str, file: str, pue_included: float | None) -> Iterator[Part]:
    """Carbontracker: epochs with a duration and mean W per component; the log's own draws are without PUE."""
    kwh = 0.0
    epochs: list[float] = []  # seconds
    measured: set[int] = set()
    for found in re.finditer(MEASUREMENT, text):
        if found["draws"] is None:
            days, hours, minutes, seconds = (float(found[part] or 0) for part in ("d", "h", "m", "s"))
            epochs.append(timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds())
            continue
        draws = re.findall(r"\d+(?:\.\d*)?(?:e[+-]?\d+)?|nan", found["draws"])
        if not draws or "nan" in draws or not epochs:
            line = text.count("\n", 0, found.start()) + 1
            raise UnknownLogError(f"{file}, line {line}: an epoch without a measured power: {found[0]!r}")
        measured.add(len(epochs))
        kwh += sum(map(float, draws)) * epochs[-1] / SECONDS_PER_HOUR / 1000  # Wh to kWh
    for epoch in range(1, len(epochs) + 1):
        if epoch not in measured:
            raise UnknownLogError(f"{file}, epoch {epoch}: a duration without a measured power; take it out")
    devices = re.search(r"GPU with device\(s\) ([^.]+)\.", text)
    gpus = [name.strip() for name in devices[1].split(",")] if devices else []
    if epochs:
        yield f"Epochs taken: {len(epochs):,}. Those that it was not told to measure are not in its log."
        yield {
            "model": Path(file).name.removesuffix("_carbontracker.log"),
            "hardware": gpus[0] if len(set(gpus)) == 1 else "",
            "chips": str(len(gpus)) if len(set(gpus)) == 1 else "",
            "training_hours": _text(sum(epochs) / SECONDS_PER_HOUR),
            "energy_kwh": _text(kwh / (pue_included or 1)),
            "started": text[:10],
        }


def _eco2ai(text: str, file: str, pue_included: float | None) -> Iterator[Part]:
    """eco2AI: kWh (once spelt kWTh) and seconds; energies hold its tracker's PUE, 1 by default.

    Its column region/country holds country/region, in brackets where the user gave the intensity.
    """
    for number, row in _rows(text, file):
        energy = next(
            (name for name in row if name.startswith("power_consumption(")), "power_consumption(kWh)"
        )
        if energy.lower() not in ("power_consumption(kwh)", "power_consumption(kwth)"):
            raise UnknownLogError(f"{file}: energy in an unknown unit, column {energy!r}; expected kWh")
        gpu = re.match(r"(.+?)\s*[/ ]\s*(\d+) device\(s\)", (row.get("GPU_name") or "").strip())
        place = row.get("region/country", "").strip("()").split("/")[0].strip()
        yield {
            "model": row.get("project_name", ""),
            "hardware": gpu[1].strip(" /") if gpu and int(gpu[2]) else "",
            "chips": gpu[2] if gpu and int(gpu[2]) else "",
            "training_hours": _text(_number(row, "duration(s)", file, number) / SECONDS_PER_HOUR),
            "energy_kwh": _text(_number(row, energy, file, number) / (pue_included or 1)),
            "site_country": place,
            "started": row.get("start_time", "")[:10],
        }


def _sacct(text: str, file: str, _: float | None) -> Iterator[Part]:
    """Slurm: accelerators of a job from AllocTRES, wall-clock from ElapsedRaw (s) or Elapsed.

    Steps of a job repeat its hours and are left out. ConsumedEnergy is not taken: what it measures (the node,
    or the processors alone) depends on a plugin that the output does not name.
    """
    idle = 0
    for number, row in _rows(text, file, Unquoted):
        if "." in row["JobID"]:
            continue
        if "AllocTRES" not in row and "AllocGRES" not in row:
            raise UnknownLogError(f"{file}: neither AllocTRES nor AllocGRES; {SACCT}")
        tres = row.get("AllocTRES") or row.get("AllocGRES") or ""
        total = re.search(r"(?:gres/)?gpu[=:](\d+)(?:,|$)", tres)
        kinds = re.findall(r"(?:gres/)?gpu:([A-Za-z][\w.-]*)[=:](\d+)", tres)
        chips = int(total[1]) if total else sum(int(count) for _, count in kinds)
        seconds = (
            _number(row, "ElapsedRaw", file, number) if row.get("ElapsedRaw") else _elapsed(row, file, number)
        )
        if seconds and (part := re.search(PART_OF_A_CHIP, tres)):
            yield f"Job left out, of a part of an accelerator, {part[0]!r}: {row['JobID']}."
        elif chips == 0 or seconds == 0:
            idle += 1
        else:
            yield {
                "model": row.get("JobName") or row["JobID"],
                "hardware": kinds[0][0].replace("_", " ") if len(kinds) == 1 else "",
                "chips": str(chips),
                "training_hours": _text(seconds / SECONDS_PER_HOUR),
                "started": row["Start"][:10] if row.get("Start", "").startswith("20") else "",
            }
    if idle:
        yield f"Jobs left out, of no accelerator or no time: {idle:,}."


def _billing(text: str, file: str, _: float | None) -> Iterator[Part]:
    """Google Cloud billing export: accelerators x time of each chip's SKU, by region and month."""
    spent: dict[tuple[str, str, str], float] = {}
    unclear: dict[str, int] = {}  # SKU and the first row that has it
    passed: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    for number, row in _rows(text, file):
        sku = row.get("sku.description", "")
        if kind := next((kind for kind, words in NO_USE if re.search(words, sku, re.IGNORECASE)), None):
            passed[kind] += 1
        elif chip := _chip_of(sku):
            key = (chip, row.get("location.region", ""), row.get("usage_start_time", "")[:7])
            spent[key] = spent.get(key, 0) + _hours(row, file, number)
        elif re.search(ACCELERATORS, sku, re.IGNORECASE):
            unclear.setdefault(sku, number)
        elif re.search(OTHERS, sku, re.IGNORECASE):
            passed["no accelerator (processors, memory, disks, network and the like)"] += 1
        else:
            unknown[sku] += 1
    if unclear:
        lines = [f"{file}, row {number}, sku.description: {sku!r}" for sku, number in unclear.items()]
        raise UnknownLogError("\n".join([*lines, UNCLEAR]))
    yield from (f"Lines left out, {kind}: {lines:,}." for kind, lines in passed.items())
    yield from (
        f"Lines left out, not known here, and perhaps an accelerator, {sku!r}: {lines:,}."
        for sku, lines in unknown.items()
    )
    for (hardware, region, month), hours in sorted(spent.items()):
        yield {
            "model": f"{hardware} {region} {month}".strip(),
            "hardware": hardware,
            "chip_hours": _text(hours),
            "cloud_region": region,
            "started": month,
        }


def _chip_of(sku: str) -> str:
    """The chip that one unit of a SKU is, in a spelling of the dataset; empty if it is none, or not clear.

    TPUs are billed by the chip from v5 on. A unit of the older ones ("Tpu-v3 Pod") may be a core, a chip, or
    a device of eight cores; and a reservation is billed also while nothing runs on it.
    """
    if re.search(r"\breserved\b", sku, re.IGNORECASE):
        return ""
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


def _hours(row: Row, file: str, number: int) -> float:
    unit = row.get("usage.unit", "")
    if unit not in ("seconds", "hour", "hours"):
        raise UnknownLogError(
            f"{file}, row {number}: usage.unit {unit!r}, expected seconds or hours of an accelerator"
        )
    amount = _number(row, "usage.amount", file, number)
    return amount / SECONDS_PER_HOUR if unit == "seconds" else amount


class Unquoted(csv.excel):
    """What sacct -P writes: a quote is a letter like others."""

    delimiter = "|"
    quoting = csv.QUOTE_NONE


def _rows(text: str, file: str, dialect: type[csv.Dialect] = csv.excel) -> Iterator[tuple[int, Row]]:
    """Rows by number; one with other cells than the header is cut, or holds the delimiter in a name."""
    try:
        header, *rows = csv.reader(io.StringIO(text), dialect)
    except csv.Error as error:
        raise UnknownLogError(f"{file}: cannot be read ({error})") from None
    for number, cells in enumerate(filter(None, rows), start=1):
        if len(cells) != len(header):
            raise UnknownLogError(
                f"{file}, row {number}: {len(cells)} cells, expected the {len(header)} of the header"
            )
        yield number, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}


def _number(row: Row, column: str, file: str, number: int) -> float:
    try:
        value = float(row[column])
    except (KeyError, ValueError):
        cell = row.get(column)
        raise UnknownLogError(f"{file}, row {number}, {column}: {cell!r}, expected a number") from None
    if not 0 <= value < float("inf"):
        raise UnknownLogError(f"{file}, row {number}, {column}: {row[column]} cannot be")
    return value


def _elapsed(row: Row, file: str, number: int) -> float:
    """Seconds of Slurm's [days-]hours:minutes:seconds."""
    found = re.fullmatch(r"(?:(\d+)-)?(\d+):(\d\d):(\d\d)", row.get("Elapsed", ""))
    if not found:
        raise UnknownLogError(
            f"{file}, row {number}, Elapsed: {row.get('Elapsed', '')!r}, and no ElapsedRaw; {SACCT}"
        )
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()


def _text(value: float) -> str:
    return f"{value:.12g}"


READERS: tuple[tuple[str, str, Callable[[str, str, float | None], Iterator[Part]]], ...] = (
    ("CodeCarbon", r"energy_consumed", _codecarbon),
    ("Carbontracker", r"carbontracker version", _carbontracker),
    ("eco2AI", r"power_consumption\(", _eco2ai),
    ("Slurm's sacct", r"(^|\|)JobID\|", _sacct),
    ("Google Cloud's billing export", r"sku\.description", _billing),
)
