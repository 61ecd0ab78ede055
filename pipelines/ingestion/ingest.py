"""From what an upstream offers to what a build takes of it: which bytes are accepted, and why.

Belongs here: the decision to accept, and what people are told of it. Does not belong here: HTTP (fetch.py),
keeping bytes (snapshots.py), single rows (gates.py), what changed (revisions.py), the meaning of one source's
columns (sources/).
"""

import hashlib
import importlib
import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.catalog import Source
from pipelines.ingestion import snapshots
from pipelines.ingestion.gates import gated
from pipelines.ingestion.revisions import beyond_limits, changed
from pipelines.ingestion.snapshots import Files, Origin, Progress, Record, Snapshot, SnapshotMissingError
from pipelines.ingestion.tabular import UpstreamChangedError

Parse = Callable[[Mapping[str, bytes]], pl.DataFrame]

SHOWN = 5  # problems
UNREADABLE = "not readable"  # what nobody can accept


class NotAcceptedError(Exception):
    """Someone asked to accept what is not there to be accepted."""


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What a build takes of a source, and how it came to that.

    status: fresh (new bytes), unchanged (asked, nothing new), kept (an earlier snapshot, and why),
    locked (as a manifest says) or absent (nothing, and why). is_refused: what came waits for `accept`.
    """

    source: str
    status: str
    files: dict[str, Snapshot]
    problems: list[str]
    change: dict[str, Any]
    is_refused: bool = False


def parser(source: Source) -> Parse:
    """The function `parse` of a source's module."""
    parse: Parse = importlib.import_module(f"pipelines.sources.{source.name}").parse
    return parse


def fingerprint(source: Source, files: Mapping[str, Snapshot]) -> str:
    """A checksum of the files of a source and of the code that reads them."""
    module = importlib.import_module(f"pipelines.sources.{source.name}")
    code = [Path(str(module.__file__)), *map(Path(__file__).with_name, ("tabular.py", "hourly.py"))]
    names = sorted((file, snapshot.sha256) for file, snapshot in files.items())
    content = json.dumps([names, [path.read_text(encoding="utf-8") for path in code], pl.__version__])
    return hashlib.sha256(content.encode()).hexdigest()


def parsed(store: Path, source: Source, files: Mapping[str, Snapshot]) -> pl.DataFrame:
    """The rows of a source as its parser gives them, parsed once for the same bytes and the same code.

    Raises:
        UpstreamChangedError: a file is not what its parser knows.
        SnapshotMissingError: the store does not hold the bytes.
    """
    path = store / "parsed" / f"{source.name}-{fingerprint(source, files)}.parquet"
    if path.exists():
        return pl.read_parquet(path)
    frame = parser(source)(Files(store, files))
    path.parent.mkdir(parents=True, exist_ok=True)
    older = sorted(path.parent.glob(f"{source.name}-*.parquet"), key=lambda p: p.stat().st_mtime)
    for outdated in older[:-1]:  # the present one is still needed, to compare with
        outdated.unlink()
    partial = path.with_suffix(".partial")
    frame.write_parquet(partial)
    partial.replace(path)
    return frame


def settle(store: Path, source: Source, origin: Origin, progress: Progress | None = None) -> Settled:
    """Ask for a source, and accept what came if it is sound and moved no further than the catalog allows.

    What is accepted is recorded before this returns; what is not waits for `accept`. An earlier snapshot
    is kept whenever the new bytes cannot be had, cannot be read or are not accepted.
    """
    record = snapshots.read_record(store, source.name)
    offered, problems = snapshots.ask(store, source, origin, progress)
    if problems:
        if offered:  # what came is kept, so that the next build need not ask for it again
            snapshots.write_record(store, source.name, replace(record, offered={**record.offered, **offered}))
        return _kept(source, record, problems)
    if _same(offered, record.accepted):
        accepted = replace(record, accepted=offered, offered={}, refused="", change={})
        if accepted != record:
            snapshots.write_record(store, source.name, accepted)
        return Settled(source=source.name, status="unchanged", files=offered, problems=[], change={})
    change, refused = _judged(store, source, record.accepted, offered)
    if refused:
        waiting = replace(record, offered=offered, refused=refused, change=change)
        snapshots.write_record(store, source.name, waiting)
        kept = _kept(source, record, [refused], change)
        return replace(kept, is_refused=not refused.startswith(UNREADABLE))
    snapshots.write_record(store, source.name, _accepted(record, offered, change, "within the limits"))
    return Settled(source=source.name, status="fresh", files=offered, problems=[], change=change)


def _same(one: Mapping[str, Snapshot], other: Mapping[str, Snapshot]) -> bool:
    return {f: s.sha256 for f, s in one.items()} == {f: s.sha256 for f, s in other.items()}


def _kept(
    source: Source, record: Record, problems: list[str], change: dict[str, Any] | None = None
) -> Settled:
    status = "kept" if record.accepted else "absent"
    return Settled(
        source=source.name, status=status, files=record.accepted, problems=problems, change=change or {}
    )


def _judged(
    store: Path, source: Source, accepted: Mapping[str, Snapshot], offered: Mapping[str, Snapshot]
) -> tuple[dict[str, Any], str]:
    """What changed against the accepted bytes, and why the offered ones are refused, if they are."""
    try:
        rows, quarantined = gated(parsed(store, source, offered), source)
    except (UpstreamChangedError, SnapshotMissingError) as error:
        return {}, f"{UNREADABLE}: {error}"
    lost = quarantined["row_key"].n_unique()
    if rows.height < source.min_rows:
        first = f"; {lost:,} rows fail, e.g. {_example(quarantined)}" if lost else ""
        return {}, f"only {rows.height:,} rows, expected {source.min_rows:,} or more{first}"
    if lost > source.limits.quarantined_fraction * (rows.height + lost):
        return {}, f"{lost:,} of {rows.height + lost:,} rows fail, e.g. {_example(quarantined)}"
    if not accepted:
        return {}, ""
    before, _ = gated(parsed(store, source, accepted), source)
    change = changed(source, Files(store, accepted), Files(store, offered), before, rows)
    return change, "; ".join(beyond_limits(source, change, before))


def _example(quarantined: pl.DataFrame) -> str:
    row = quarantined.row(0, named=True)
    return f"{row['row_key']}: {row['column_name']} = {row['cell']!r}. {row['says']}"


def _accepted(record: Record, offered: dict[str, Snapshot], change: dict[str, Any], reason: str) -> Record:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    event = {
        "at": now,
        "reason": reason,
        "files": {file: snapshot.sha256 for file, snapshot in offered.items()} if len(offered) < 50 else {},
        "change": change,
    }
    return replace(
        record, accepted=offered, offered={}, refused="", change={}, events=[*record.events, event]
    )


def accept(store: Path, source: Source, reason: str) -> dict[str, Any]:
    """Accept what a source offers and a build refused, with a reason that is kept; returns what changes.

    Raises:
        NotAcceptedError: nothing waits, no reason was given, or what waits cannot be read at all.
    """
    record = snapshots.read_record(store, source.name)
    if not reason.strip():
        raise NotAcceptedError("give a reason that others will understand: --reason '...'")
    if not record.refused:
        raise NotAcceptedError(f"{source.name}: nothing waits to be accepted. Build first.")
    try:
        gated(parsed(store, source, record.offered), source)
    except UpstreamChangedError as error:
        raise NotAcceptedError(
            f"{source.name}: cannot be accepted, since it cannot be read: {error}. "
            f"Mend pipelines/sources/{source.name}.py first."
        ) from None
    snapshots.write_record(store, source.name, _accepted(record, record.offered, record.change, reason))
    return record.change


def locked(source: Source, manifest: Mapping[str, Mapping[str, Snapshot]]) -> Settled:
    """A source as a manifest names it."""
    files = dict(manifest.get(source.name, {}))
    missing = [] if files else [f"the manifest names no file of {source.name}"]
    status = "locked" if files else "absent"
    return Settled(source=source.name, status=status, files=files, problems=missing, change={})


def lines(settled: Settled, warehouse: str = "") -> list[str]:
    """What became of a source, for people: one line, and one for each thing to know.

    Args:
        settled: what a build takes of it.
        warehouse: the folder to name to `ote accept`, where it is not the usual one.
    """
    change = settled.change
    told = [f"{settled.source:<22} {settled.status:<10} {len(settled.files):,} files"]
    told += [f"    {problem}" for problem in settled.problems[:SHOWN]]
    if len(settled.problems) > SHOWN:
        told.append(f"    and {len(settled.problems) - SHOWN:,} more problems")
    if change:
        told += [
            f"    columns {kind}: {', '.join(change[f'columns_{kind}'])}"
            for kind in ("added", "gone")
            if change[f"columns_{kind}"]
        ]
        told.append(
            f"    rows: {change['rows_added']:,} added, {change['rows_gone']:,} gone, "
            f"{change['rows_before']:,} before"
        )
        for column, cells in change["cells_changed"].items():
            largest = cells["largest"][0]
            told.append(
                f"    {column}: {cells['changed']:,} of {cells['of']:,} changed, "
                f"e.g. {largest['row']}: {largest['before']} to {largest['after']}"[:200]
            )
    if settled.is_refused:
        where = f" --warehouse {shlex.quote(warehouse)}" if warehouse else ""
        told.append(f'    To take it all the same: ote accept {settled.source} --reason "..."{where}')
    return told
