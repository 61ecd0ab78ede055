"""MLPerf Training: the energy of every run that was submitted with power logs.

Belongs here: what a result log, a power log and a system description of MLCommons mean, and the energy of
one run. Does not belong here: scores of submissions (means over runs), the id of the accelerator (core).

The list mlperf_training.csv beside this module names the files of round v4.0 that are read: the submissions
with power of 1, 8 and 64 nodes on the AC side, and of 1 and 8 nodes on the DC side. Others (9 nodes, 64 nodes
on the DC side, later rounds) are not listed; where they have curated rows, those stand.

Left out on purpose: switches that were metered instead of rated (Dell, v4.1, with a clock hours off the
nodes'). Such a log counts as unread, so its runs have no energy.
"""

import hashlib
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from ote.ingestion.tabular import UpstreamChangedError

PATH = re.compile(
    r"mlperf_training/(?P<round>v[\d.]+)/(?P<submitter>[^/]+)/results/(?P<system>[^/]+)/(?P<benchmark>[^/]+)/"
    r"(?:(?P<result>result_[^/]+)\.txt|power/(?P<run>[^/]+)/(?P<meter>node|sw)_\d+\.txt|scaling\.json)"
)
TOKEN = b":::MLLOG "  # what precedes it on a line, such as the rank "0: ", is no part of the record
COOLING = {"SMC IMMERSION COOLING TECHNOLOGY": "immersion", "": None}
# Of every node's window at least 0.968 was recorded in v4.0. Energy is divided by that share: fair for a
# reading missed at an end, a guess for a log that broke off.
MINIMUM_COVERAGE = 0.95
KWH_PER_W_MS = 1 / 3.6e9  # W x ms to kWh: 1000 ms a second, 3.6e6 joules a kWh
SCHEMA: dict[str, pl.DataType] = {
    "round": pl.String(),
    "submitter": pl.String(),
    "submitter_name": pl.String(),
    "system": pl.String(),
    "hardware": pl.String(),
    "chips": pl.Int64(),
    "nodes": pl.Int64(),
    "benchmark": pl.String(),
    "run_index": pl.Int64(),
    "run_name": pl.String(),
    "time_to_train_s": pl.Float64(),
    "energy_kwh": pl.Float64(),
    "energy_nodes_kwh": pl.Float64(),
    "energy_switches_kwh": pl.Float64(),
    "switch_basis": pl.String(),
    "watts_per_chip": pl.Float64(),
    "measured_at": pl.String(),
    "official_run_energy_j": pl.Float64(),
    "scaling_factor": pl.Float64(),
    "node_logs": pl.Int64(),
    "distinct_node_series": pl.Int64(),
    "window_coverage_fraction": pl.Float64(),
    "cooling": pl.String(),
    "duplicate_of": pl.String(),
    "source_locator": pl.String(),
}


@dataclass
class _Submission:
    """The files of one benchmark on one system; the logs of meters by run."""

    results: dict[str, str] = field(default_factory=dict)
    node: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    sw: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    scaling: str | None = None


@dataclass(frozen=True, kw_only=True)
class _System:
    """A system as its description has it; all None where the description could not be had."""

    submitter_name: str | None = None
    hardware: str | None = None
    nodes: int | None = None
    chips: int | None = None
    cooling: str | None = None
    measured_at: str | None = None


@dataclass(frozen=True)
class _Node:
    """One node's recording, reduced to what its run needs."""

    window_w_ms: float  # energy read inside the timed window
    covered_ms: int  # the part of the window that the readings cover
    scored_w: float  # mean of the whole recording, on the side of the converter that MLPerf scores
    measured_at: str | None
    series: bytes  # digest of the readings and their times


@dataclass(frozen=True)
class _Network:
    """The switches of one log at their maximum rating: an estimate."""

    rated_w: float
    scored_w: float


def parse(files: Mapping[str, bytes]) -> pl.DataFrame:
    """The runs with power logs; one row per run, in full precision.

    Every file is read at most once and dropped before the next. A run whose energy cannot be known has null
    for it, never a part of a sum: its result log is absent, not successful or has no stop; the logs of nodes
    are not as many as the nodes; a switch's log is missing (other runs of the submission have more, or there
    are several nodes and no network); a log is cut off; a node's readings cover less than MINIMUM_COVERAGE of
    the window.

    Args:
        files: "mlperf_training/<round>/<path in the repository of that round>" to the bytes.

    Returns:
        the columns of raw.mlperf_training, typed. Energy in the timed window as read at the meter, in kWh;
        official_run_energy_j in joules, as MLPerf scored it in May 2024, before scaling_factor, which is
        null where the submission has none.

    Raises:
        UpstreamChangedError: no run with power at all, or a JSON file that is not what it is known to be.
    """
    rows: list[dict[str, Any]] = []
    systems: dict[str, _System] = {}
    for (mlperf_round, submitter, system, benchmark), submission in sorted(_submissions(files).items()):
        if not (submission.node or submission.sw):
            continue
        file = f"mlperf_training/{mlperf_round}/{submitter}/systems/{system}.json"
        if file not in systems:
            systems[file] = _system(files[file], file) if file in files else _System()
        key = {"round": mlperf_round, "submitter": submitter, "system": system, "benchmark": benchmark}
        rows += [key | row for row in _rows(files, submission, systems[file])]
    if not rows:
        raise UpstreamChangedError(
            f"mlperf_training: no run with power in {len(files)} files, expected hundreds"
        )
    return pl.DataFrame(rows, schema=SCHEMA)


def _submissions(files: Mapping[str, bytes]) -> dict[tuple[str, ...], _Submission]:
    submissions: defaultdict[tuple[str, ...], _Submission] = defaultdict(_Submission)
    for file in sorted(files):
        if not (match := PATH.fullmatch(file)):
            continue
        submission = submissions[match.group("round", "submitter", "system", "benchmark")]
        if match["result"]:
            submission.results[match["result"]] = file
        elif match["meter"]:
            (submission.node if match["meter"] == "node" else submission.sw)[match["run"]].append(file)
        else:
            submission.scaling = file
    return submissions


def _system(content: bytes, file: str) -> _System:
    try:
        system = json.loads(content)
        nodes, chips_per_node = int(system["number_of_nodes"]), int(system["accelerators_per_node"])
        side = re.search(r"\b(AC|DC)\b", system["system_name"])
        return _System(
            submitter_name=system["submitter"],
            hardware=system["accelerator_model_name"],
            nodes=nodes,
            chips=nodes * chips_per_node,
            cooling=COOLING.get(system["cooling"], system["cooling"]),
            measured_at=side[1] if side else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UpstreamChangedError(
            f"{file}: {type(error).__name__} {error}; expected JSON with the names and counts of a system"
        ) from None


def _scaling_factor(content: bytes, file: str) -> float:
    try:
        return float(json.loads(content)["scaling_factor"])
    except (KeyError, TypeError, ValueError) as error:
        raise UpstreamChangedError(
            f"{file}: {type(error).__name__} {error}; expected JSON with a number scaling_factor"
        ) from None


def _rows(files: Mapping[str, bytes], submission: _Submission, system: _System) -> Iterator[dict[str, Any]]:
    """The rows of a submission; run_index counts the runs in order of their names."""
    scaling = _scaling_factor(files[submission.scaling], submission.scaling) if submission.scaling else None
    most = max((len(logs) for logs in submission.sw.values()), default=0)
    switches = most or (0 if system.nodes == 1 else 1)  # several nodes have a network
    seen: dict[tuple[Any, ...], str] = {}
    for index, run in enumerate(sorted({*submission.results, *submission.node, *submission.sw})):
        result, logs = submission.results.get(run), submission.node.get(run, [])
        row: dict[str, Any] = {
            "submitter_name": system.submitter_name,
            "hardware": system.hardware,
            "chips": system.chips,
            "nodes": system.nodes,
            "run_index": index,
            "run_name": run,
            "measured_at": system.measured_at,
            "scaling_factor": scaling,
            "node_logs": len(logs),
            "cooling": system.cooling,
        }
        if result:
            row["source_locator"] = result.split("/", 2)[2]
        if result and (window := _window(files[result])):
            nodes = [node for log in logs if (node := _node(files[log], *window))]
            rated = [power for log in submission.sw.get(run, []) if (power := _network(files[log]))]
            row["time_to_train_s"] = (window[1] - window[0]) / 1000
            if nodes and len(nodes) == len(logs):
                row |= _of_nodes(nodes, system)
                row["window_coverage_fraction"] = _covered(nodes) / (window[1] - window[0])
                # The same seconds and the same readings of every node: the same run under another name.
                original = seen.setdefault((*window, *(node.series for node in nodes)), run)
                row["duplicate_of"] = original if original != run else None
            if len(nodes) == len(logs) == system.nodes and len(rated) == switches:
                row |= _energy(nodes, rated, system, window[1] - window[0])
        yield row


def _of_nodes(nodes: list[_Node], system: _System) -> dict[str, Any]:
    sides = {node.measured_at or system.measured_at for node in nodes}
    return {
        "measured_at": sides.pop() if len(sides) == 1 else None,
        "distinct_node_series": len({node.series for node in nodes}),
    }


def _covered(nodes: list[_Node]) -> float:
    """Milliseconds of the window that the mean node has readings for."""
    return sum(node.covered_ms for node in nodes) / len(nodes)


def _energy(nodes: list[_Node], rated: list[_Network], system: _System, window_ms: int) -> dict[str, Any]:
    """Energy of a run all of whose logs are there; nothing where one covers too little of the window.

    In the window: what was read, over the share of the window that the mean node has readings for, and the
    network at its rating for the whole window. Scored: the mean power of the whole recording, times the time
    to train (MLCommons logging, result_summarizer, May 2024).
    """
    if min(node.covered_ms for node in nodes) < MINIMUM_COVERAGE * window_ms or not system.chips:
        return {}
    nodes_w_ms = math.fsum(node.window_w_ms for node in nodes) * window_ms / _covered(nodes)
    switches_w_ms = math.fsum(network.rated_w for network in rated) * window_ms
    return {
        "energy_kwh": (nodes_w_ms + switches_w_ms) * KWH_PER_W_MS,
        "energy_nodes_kwh": nodes_w_ms * KWH_PER_W_MS,
        "energy_switches_kwh": switches_w_ms * KWH_PER_W_MS,
        "switch_basis": "estimated_max_rating" if rated else "none",
        "watts_per_chip": (nodes_w_ms + switches_w_ms) / window_ms / system.chips,
        "official_run_energy_j": math.fsum(
            [*(node.scored_w for node in nodes), *(network.scored_w for network in rated)]
        )
        * window_ms
        / 1000,
    }


def _window(content: bytes) -> tuple[int, int] | None:
    """Start and stop in ms of a run that reached its target; the first of each counts, ranks repeat them."""
    records = _records(line for line in content.splitlines() if b'"run_st' in line)
    first: dict[str, dict[str, Any]] = {}
    for record in records or []:
        first.setdefault(record["key"], record)
    if not {"run_start", "run_stop"} <= first.keys():
        return None
    start, stop = first["run_start"]["time_ms"], first["run_stop"]["time_ms"]
    succeeded = (first["run_stop"].get("metadata") or {}).get("status") == "success"
    return (start, stop) if succeeded and start < stop else None


def _node(content: bytes, start: int, stop: int) -> _Node | None:
    """A node's recording, with its part between start and stop (ms); None if cut off or of another form.

    A reading is the mean power since the one before it. A few logs step back by a tenth of a second: the
    window takes the readings by time, the score takes them as the file has them, as MLPerf's own code does.
    """
    meter = _meter(content)
    bounds = ("power_measurement_start", "power_measurement_stop")
    if any(len(meter.get(key, [])) != 1 for key in bounds) or not meter.get("power_reading"):
        return None
    began, ended = (meter[key][0]["time_ms"] for key in bounds)
    readings = [(record["time_ms"], record["value"]) for record in meter["power_reading"]]
    if not all(_is_number(watts) for _, watts in readings):
        return None
    # SMC wrote the start's time into the stop of recordings with margins: the last reading is the end then.
    recorded_ms = max(ended, readings[-1][0]) - began
    efficiency, side = _conversion(meter)
    if recorded_ms <= 0 or efficiency is None:
        return None
    window_w_ms, covered_ms, before = 0.0, 0, began
    for time, watts in sorted(readings, key=lambda reading: reading[0]):
        inside_ms = max(0, min(stop, time) - max(start, before))
        window_w_ms, covered_ms, before = window_w_ms + watts * inside_ms, covered_ms + inside_ms, time
    scored_w_ms, before = 0.0, began
    for time, watts in readings:
        scored_w_ms, before = scored_w_ms + watts * (time - before), time
    return _Node(
        window_w_ms=window_w_ms,
        covered_ms=covered_ms,
        scored_w=efficiency * scored_w_ms / recorded_ms,
        measured_at=side,
        series=hashlib.sha256(repr(readings).encode()).digest(),
    )


def _network(content: bytes) -> _Network | None:
    """The rating in a switch's log, whose time is a placeholder; None if cut off or without a single one."""
    meter = _meter(content)
    ratings = [record["value"] for record in meter.get("interconnect_power_est", [])]
    efficiency, _ = _conversion(meter)
    if len(ratings) != 1 or not _is_number(ratings[0]) or efficiency is None:
        return None
    return _Network(rated_w=ratings[0], scored_w=efficiency * ratings[0])


def _conversion(meter: dict[str, list[dict[str, Any]]]) -> tuple[float | None, str | None]:
    """The factor from the meter to the side scored, and the meter's side; (1, None) where none is given."""
    if not (records := meter.get("conversion_eff")):
        return 1.0, None
    efficiency, metadata = records[0]["value"], records[0].get("metadata") or {}
    return (efficiency if _is_number(efficiency) else None), metadata.get("measurement_type")


def _meter(content: bytes) -> dict[str, list[dict[str, Any]]]:
    """The records of a power log by key; empty when a line is cut off."""
    by_key: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in _records(iter(content.splitlines())) or []:
        by_key[record["key"]].append(record)
    return by_key


def _records(lines: Iterator[bytes]) -> list[dict[str, Any]] | None:
    """The records among lines of a log; None when one is cut off, so that no part is taken for the whole."""
    records = []
    for line in lines:
        _, token, text = line.partition(TOKEN)
        if not token:
            continue
        try:
            record = json.loads(text.decode("latin-1"))  # a byte of any other character set is no fault
        except ValueError:
            return None
        if not (isinstance(record, dict) and "key" in record and type(record.get("time_ms")) is int):
            return None
        if record["key"] == "power_reading" and "value" not in record:
            return None
        records.append(record)
    return records


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
