"""MLPerf Training: the energy of every run that was submitted with power logs.

Belongs here: what a result log, a power log and a system description of MLCommons mean, and the energy of
one run. Does not belong here: scores of submissions (means over runs), the id of the accelerator (core).

The list mlperf_training.csv beside this module names the files of round v4.0 that are read: the submissions
with power of 1, 8 and 64 nodes on the AC side, and of 1 and 8 nodes on the DC side. The others (9 nodes; 64
nodes on the DC side) and submissions without power are not listed; the curated rows stand for the former.

Left out on purpose: switches that were metered instead of rated (Dell, v4.1, whose clock is hours off the
nodes'). Such a log counts as unread, so its runs have no energy.
"""

import hashlib
import json
import math
import re
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.tabular import UpstreamChangedError

TOKEN = b":::MLLOG "  # whatever precedes it on a line, such as the rank "0: ", is no part of the record
PATH = re.compile(
    r"mlperf_training/(?P<round>v[\d.]+)/(?P<submitter>[^/]+)/results/(?P<system>[^/]+)/(?P<benchmark>[^/]+)/"
    r"(?:(?P<result>result_[^/]+)\.txt|power/(?P<run>[^/]+)/(?P<meter>node|sw)_\d+\.txt|(?P<scaling>scaling\.json))"
)
COOLING = {"SMC IMMERSION COOLING TECHNOLOGY": "immersion", "": None}
# Recordings cover 98 % of the timed window or more. Energy is divided by that share, which is fair for a
# reading missed at an end and a guess for a log that broke off.
MINIMUM_COVERAGE = 0.95
SCHEMA = {
    "round": pl.String,
    "submitter": pl.String,
    "submitter_name": pl.String,
    "system": pl.String,
    "hardware": pl.String,
    "chips": pl.Int64,
    "nodes": pl.Int64,
    "benchmark": pl.String,
    "run_index": pl.Int64,
    "run_name": pl.String,
    "time_to_train_s": pl.Float64,
    "energy_kwh": pl.Float64,
    "energy_nodes_kwh": pl.Float64,
    "energy_switches_kwh": pl.Float64,
    "switch_basis": pl.String,
    "watts_per_chip": pl.Float64,
    "measured_at": pl.String,
    "official_run_energy_j": pl.Float64,
    "node_logs": pl.Int64,
    "distinct_node_series": pl.Int64,
    "window_coverage_fraction": pl.Float64,
    "scaling_factor": pl.Float64,
    "cooling": pl.String,
    "duplicate_of": pl.String,
    "source_locator": pl.String,
}


@dataclass(frozen=True)
class _Submission:
    """The files of one benchmark on one system; names as in the mapping of files, in order of the name."""

    results: dict[str, str]
    nodes: dict[str, list[str]]
    switches: dict[str, list[str]]
    scaling: str | None

    @property
    def runs(self) -> list[str]:
        """Every run that is named, be it only by its result or only by its power."""
        return sorted({*self.results, *self.nodes, *self.switches})


@dataclass(frozen=True)
class _System:
    """A system as its description has it; what it does not say is None."""

    submitter_name: str | None = None
    hardware: str | None = None
    nodes: int | None = None
    chips: int | None = None
    cooling: str | None = None
    measured_at: str | None = None


@dataclass(frozen=True)
class _NodePower:
    """One node's recording, reduced to the window of its run."""

    mean_w: float  # over the part of the window that the readings cover
    covered_ms: int
    scored_w: float  # over the whole recording, on the side of the converter that MLPerf scores
    measured_at: str | None
    series: str


class _UnreadableError(Exception):
    """A log that is cut off or of another form: its run has no energy, the others are unharmed."""


def parse(files: Mapping[str, bytes]) -> pl.DataFrame:
    """The runs with power logs; one row per run, in full precision.

    Every file is read at most once and dropped before the next. A run whose energy cannot be known has null
    there, and null where else nothing is known, never a part of a sum: a node's log is missing or more than
    the system has nodes, no switch's log although there are several nodes or other runs of the submission
    have more, a log is cut off or does not cover the window, the run was aborted or never stopped.

    Args:
        files: "mlperf_training/<round>/<path in the repository of that round>" to the bytes.

    Returns:
        the columns of raw.mlperf_training, typed. Seconds, kWh, watts; official_run_energy_j in joules and
        before scaling_factor, which is null where the submission has none.

    Raises:
        UpstreamChangedError: no run with power at all, or a description that is not what it is known to be.
    """
    rows: list[dict[str, Any]] = []
    systems: dict[str, _System] = {}
    for (mlperf_round, submitter, system, benchmark), submission in sorted(_submissions(files).items()):
        if not (submission.nodes or submission.switches):
            continue
        description = f"mlperf_training/{mlperf_round}/{submitter}/systems/{system}.json"
        if description not in systems:
            systems[description] = _system(files, description)
        key = {"round": mlperf_round, "submitter": submitter, "system": system, "benchmark": benchmark}
        rows += [key | row for row in _rows(files, submission, systems[description])]
    if not rows:
        raise UpstreamChangedError(f"mlperf_training: no run with power among {len(files)} files")
    return pl.DataFrame(rows, schema=SCHEMA)


def _submissions(files: Mapping[str, bytes]) -> dict[tuple[str, ...], _Submission]:
    submissions: dict[tuple[str, ...], _Submission] = {}
    for file in sorted(files):
        if not (match := PATH.fullmatch(file)):
            continue
        key = match.group("round", "submitter", "system", "benchmark")
        known = submissions.get(key) or _Submission({}, defaultdict(list), defaultdict(list), None)
        if match["scaling"]:
            known = _Submission(known.results, known.nodes, known.switches, file)
        elif match["result"]:
            known.results[match["result"]] = file
        else:
            (known.nodes if match["meter"] == "node" else known.switches)[match["run"]].append(file)
        submissions[key] = known
    return submissions


def _system(files: Mapping[str, bytes], file: str) -> _System:
    """Raises UpstreamChangedError when the description is there but says no names or counts."""
    if file not in files:
        return _System()
    description = _json(files[file], file)
    try:
        nodes, chips_per_node = int(description["number_of_nodes"]), int(description["accelerators_per_node"])
        submitter_name, hardware = description["submitter"], description["accelerator_model_name"]
        side = re.search(r"\b(AC|DC)\b", description["system_name"])
        cooling = description.get("cooling", "")
    except (KeyError, TypeError, ValueError) as error:
        raise UpstreamChangedError(
            f"{file}: {type(error).__name__} {error}, expected names and counts of a system"
        ) from None
    return _System(
        submitter_name=submitter_name,
        hardware=hardware,
        nodes=nodes,
        chips=nodes * chips_per_node,
        cooling=COOLING.get(cooling, cooling),
        measured_at=side[1] if side else None,
    )


def _json(content: bytes, file: str) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError as error:  # of JSON or of the character set
        raise UpstreamChangedError(f"{file}: not JSON ({error})") from None
    if not isinstance(document, dict):
        raise UpstreamChangedError(f"{file}: JSON, but not an object")
    return document


def _rows(files: Mapping[str, bytes], submission: _Submission, system: _System) -> Iterator[dict[str, Any]]:
    scaling = submission.scaling and _json(files[submission.scaling], submission.scaling).get(
        "scaling_factor"
    )
    switches = max((len(logs) for logs in submission.switches.values()), default=0)
    if system.nodes is not None and system.nodes > 1:
        switches = max(switches, 1)
    seen: dict[tuple[Any, ...], str] = {}
    for index, run in enumerate(submission.runs):
        row = {
            "submitter_name": system.submitter_name,
            "hardware": system.hardware,
            "chips": system.chips,
            "nodes": system.nodes,
            "run_index": index,
            "run_name": run,
            "node_logs": len(submission.nodes.get(run, ())),
            "scaling_factor": scaling,
            "cooling": system.cooling,
            "measured_at": system.measured_at,
        }
        if result := submission.results.get(run):
            row["source_locator"] = result.split("/", 2)[2]
        window = _window(files[result]) if result else None
        if window:
            row |= _measured(files, submission, run, system, switches, window)
            series = row.pop("series")
            if series:
                # the same seconds and the same readings of every node: the same run under another name
                original = seen.setdefault((*window, *series), run)
                row["duplicate_of"] = original if original != run else None
        yield row


def _measured(
    files: Mapping[str, bytes],
    submission: _Submission,
    run: str,
    system: _System,
    switches: int,
    window: tuple[int, int],
) -> dict[str, Any]:
    """What the power logs of a run say, null where they do not; series are the digests of the nodes' readings."""
    seconds = (window[1] - window[0]) / 1000
    try:
        nodes = [_node_power(files[log], window) for log in submission.nodes.get(run, ())]
    except _UnreadableError:
        nodes = []
    try:
        rated = [_switch_power(files[log]) for log in submission.switches.get(run, ())]
    except _UnreadableError:
        rated = []
    measured: dict[str, Any] = {"time_to_train_s": seconds, "series": tuple(node.series for node in nodes)}
    if nodes:
        sides = {node.measured_at or system.measured_at for node in nodes}
        measured["measured_at"] = sides.pop() if len(sides) == 1 else None
        measured["distinct_node_series"] = len({node.series for node in nodes})
        covered = statistics.mean(node.covered_ms for node in nodes)
        measured["window_coverage_fraction"] = covered / (window[1] - window[0])
    if len(rated) == switches:
        measured["switch_basis"] = "estimated_max_rating" if rated else "none"
        measured["energy_switches_kwh"] = sum(power for power, _ in rated) * seconds / 3.6e6  # W x s to kWh
    shortest = min((node.covered_ms for node in nodes), default=0)
    if len(nodes) == system.nodes and shortest >= MINIMUM_COVERAGE * (window[1] - window[0]):
        measured["energy_nodes_kwh"] = (
            math.fsum(node.mean_w for node in nodes) * seconds / 3.6e6
        )  # W x s to kWh
    if "energy_nodes_kwh" in measured and "energy_switches_kwh" in measured:
        measured["energy_kwh"] = measured["energy_nodes_kwh"] + measured["energy_switches_kwh"]
        measured["watts_per_chip"] = measured["energy_kwh"] * 3.6e6 / seconds / (system.chips or math.nan)
        scored = math.fsum(node.scored_w for node in nodes) + sum(power * factor for power, factor in rated)
        measured["official_run_energy_j"] = scored * seconds
    return measured


def _records(content: bytes, keys: tuple[bytes, ...]) -> Iterator[dict[str, Any]]:
    """The records of a log that may have one of these keys; raises _UnreadableError for a line that is cut off."""
    for line in content.splitlines():
        start = line.find(TOKEN)
        if start < 0 or not any(key in line for key in keys):
            continue
        try:
            record = json.loads(line[start + len(TOKEN) :].decode("latin-1"))
            record["time_ms"] = float(record["time_ms"])
        except (ValueError, KeyError, TypeError) as error:
            raise _UnreadableError(str(error)) from None
        yield record


def _window(content: bytes) -> tuple[int, int] | None:
    """First run_start and first run_stop in ms; None if the run did not end in success or the log is cut off."""
    times: dict[str, int] = {}
    try:
        for record in _records(content, (b'run_start"', b'run_stop"')):
            key = record["key"]
            if key in ("run_start", "run_stop") and key not in times:
                if key == "run_stop" and (record.get("metadata") or {}).get("status") != "success":
                    return None
                times[key] = int(record["time_ms"])
    except _UnreadableError:
        return None
    if "run_start" not in times or times.get("run_stop", 0) <= times["run_start"]:
        return None
    return times["run_start"], times["run_stop"]


def _node_power(content: bytes, window: tuple[int, int]) -> _NodePower:
    """The power of one node; a reading is the mean since the one before it, the first since the start."""
    previous = last = stop = start = None
    edge = 0.0
    efficiency, side = 1.0, None
    in_window = covered = recorded = 0.0  # W x ms, ms, W x ms
    digest = hashlib.sha256()
    for record in _records(content, (b"power_", b'conversion_eff"')):
        key, time = record["key"], record["time_ms"]
        if key == "power_measurement_start":
            start = previous = edge = time
        elif key == "power_measurement_stop":
            stop = time
        elif key == "conversion_eff":
            efficiency = float(record["value"])
            side = (record.get("metadata") or {}).get("measurement_type")
        elif key == "power_reading":
            if previous is None:
                raise _UnreadableError("a reading before the start")
            watts = float(record["value"])
            # A stamp that goes back covers nothing twice; the score takes the file's order as it is.
            overlap = max(0.0, min(time, window[1]) - max(edge, window[0]))
            edge = max(edge, time)
            in_window += watts * overlap
            covered += overlap
            recorded += watts * (time - previous)
            previous = last = time
            digest.update(f"{time:.0f} {watts}\n".encode())
    if start is None or last is None or not covered:
        raise _UnreadableError("no readings in the window")
    whole_ms = max(stop or last, last) - start
    if whole_ms <= 0:
        raise _UnreadableError("a recording without length")
    return _NodePower(
        mean_w=in_window / covered,
        covered_ms=round(covered),
        scored_w=efficiency * recorded / whole_ms,
        measured_at=side,
        series=digest.hexdigest(),
    )


def _switch_power(content: bytes) -> tuple[float, float]:
    """The constant watts of the network as rated, and the efficiency that the score multiplies them with."""
    watts, efficiency = None, 1.0
    for record in _records(content, (b'interconnect_power_est"', b'conversion_eff"')):
        if record["key"] == "interconnect_power_est":
            watts = float(record["value"])
        elif record["key"] == "conversion_eff":
            efficiency = float(record["value"])
    if watts is None:
        raise _UnreadableError("no interconnect_power_est")
    return watts, efficiency
