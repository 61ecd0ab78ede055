"""From what an upstream offers to the table raw.<source>: which bytes are accepted, and which rows.

Belongs here: the gates of the catalog on rows, what changed between two versions of a source, and the
decision to accept. Does not belong here: HTTP (fetch.py), keeping bytes (snapshots.py), the meaning of
one source's columns (sources/).
"""

import csv
import hashlib
import importlib
import io
import json
import shlex
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines import catalog
from pipelines.catalog import Source
from pipelines.ingestion import facts, snapshots
from pipelines.ingestion.snapshots import Files, Origin, Progress, Record, Snapshot, SnapshotMissingError
from pipelines.ingestion.tabular import UpstreamChangedError

Parse = Callable[[Mapping[str, bytes]], pl.DataFrame]

TYPES = facts.TYPES | {"timestamp": pl.Datetime("us")}
QUARANTINE = {
    "source": pl.String,
    "row_key": pl.String,
    "column_name": pl.String,
    "cell": pl.String,
    "gate": pl.String,
    "says": pl.String,
}
SHOWN = 5
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


def gated(frame: pl.DataFrame, source: Source) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that catalog.yaml allows, in its types, and each cell of the others that it does not allow.

    Raises:
        UpstreamChangedError: the parser gave other columns than the catalog promises.
    """
    table = catalog.tables()[source.table]
    promised = [column.name for column in table.columns]
    if sorted(frame.columns) != sorted(promised):
        raise UpstreamChangedError(
            f"{source.name}: parser and catalog.yaml differ in {sorted(set(frame.columns) ^ set(promised))}"
        )
    typed = frame.select(_cast(frame[column.name], TYPES[column.type]) for column in table.columns)
    keys = frame.select(pl.concat_str(pl.col(table.key).cast(pl.String), separator=" / ", ignore_nulls=True))
    findings = [
        found.select(
            pl.lit(source.name).alias("source"),
            pl.col("row").alias("row"),
            pl.lit(column.name).alias("column_name"),
            pl.col("cell"),
            pl.lit(gate).alias("gate"),
            pl.lit(says).alias("says"),
        )
        for column in table.columns
        for gate, says, bad in _gates(column, frame[column.name], typed[column.name])
        if (found := _cells(frame[column.name], bad)).height
    ]
    repeated = typed.select(~pl.struct(table.key).is_first_distinct()).to_series()
    if repeated.any():
        cells = _cells(keys.to_series(), repeated)
        findings.append(
            cells.select(
                pl.lit(source.name).alias("source"),
                pl.col("row"),
                pl.lit(table.key[0]).alias("column_name"),
                pl.col("cell"),
                pl.lit("key").alias("gate"),
                pl.lit("The same key as an earlier row.").alias("says"),
            )
        )
    if not findings:
        return typed, pl.DataFrame(schema=QUARANTINE)
    bad = pl.concat(findings, how="vertical_relaxed").sort("row", "column_name", "gate")
    named = bad.with_columns(row_key=keys.to_series().gather(bad["row"])).select(list(QUARANTINE))
    kept = typed.with_row_index("row").filter(~pl.col("row").is_in(bad["row"].implode())).drop("row")
    return kept, named


def _cast(column: pl.Series, to: Any) -> pl.Series:
    if column.dtype != pl.String:
        return column.cast(to, strict=False)
    if to == pl.Date:
        return column.str.to_date("%Y-%m-%d", strict=False)
    if to == pl.Boolean:
        return column.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
    if to == pl.String:
        return column
    return column.str.strip_chars().cast(to, strict=False)


def _gates(
    column: catalog.Column, given: pl.Series, typed: pl.Series
) -> Iterator[tuple[str, str, pl.Series]]:
    """What a cell must be, as the gate's name, a sentence and whether each row fails it."""
    yield "type", f"Not a {column.type}.", typed.is_null() & given.is_not_null()
    if column.required:
        yield "required", "Empty, but every row needs it.", given.is_null()
    if column.min is not None:
        yield "range", f"Below {column.min:g}. {column.why}", (typed < column.min).fill_null(False)
    if column.max is not None:
        yield "range", f"Above {column.max:g}. {column.why}", (typed > column.max).fill_null(False)
    if column.type == "double":
        yield "type", "Not a finite number.", (~typed.is_finite()).fill_null(False)
    if column.values:
        yield (
            "values",
            f"Not one of {', '.join(column.values)}.",
            (~typed.is_in(column.values)).fill_null(False),
        )


def _cells(column: pl.Series, bad: pl.Series) -> pl.DataFrame:
    cells = pl.DataFrame({"cell": column.cast(pl.String), "bad": bad}).with_row_index("row")
    return cells.filter("bad").select("row", "cell")


def columns_of(files: Mapping[str, bytes]) -> dict[str, list[str]]:
    """The header of every CSV file, also inside a zip, by name."""
    headers = {}
    for file, content in files.items():
        if file.endswith(".csv"):
            headers[file] = _header(content)
        elif file.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for member in archive.namelist():
                    if member.endswith(".csv"):
                        with archive.open(member) as inner:
                            headers[f"{file}/{member}"] = _header(inner.read(200_000))
    return headers


def _header(content: bytes) -> list[str]:
    text = content[:200_000].decode("utf-8-sig", errors="replace")
    return next(csv.reader(io.StringIO(text, newline="")), [])


def changed(
    source: Source,
    old: Mapping[str, bytes],
    new: Mapping[str, bytes],
    before: pl.DataFrame,
    after: pl.DataFrame,
) -> dict[str, Any]:
    """What two versions of a source differ in: columns, rows by key, and cells with the largest ratios.

    Args:
        source: the source.
        old: its earlier files.
        new: its present files.
        before: the earlier rows, in the types of the catalog.
        after: the present rows.
    """
    key = list(catalog.tables()[source.table].key)
    was, now = columns_of(old), columns_of(new)
    added = after.join(before, on=key, how="anti", nulls_equal=True)
    gone = before.join(after, on=key, how="anti", nulls_equal=True)
    pairs = before.join(after, on=key, how="inner", nulls_equal=True, suffix=" now")
    cells = {}
    for column in before.columns:
        if column not in key:
            moved = pairs.filter(pl.col(column).ne_missing(pl.col(f"{column} now")))
            if moved.height:
                cells[column] = _moved(moved, key, column, pairs.height, source.limits.ratio)
    return {
        "columns_added": sorted(f"{f}: {c}" for f in was.keys() & now.keys() for c in {*now[f]} - {*was[f]}),
        "columns_gone": sorted(f"{f}: {c}" for f in was.keys() & now.keys() for c in {*was[f]} - {*now[f]}),
        "files_added": sorted(now.keys() - was.keys()),
        "files_gone": sorted(was.keys() - now.keys()),
        "rows_before": before.height,
        "rows_added": added.height,
        "rows_gone": gone.height,
        "examples_added": _names(added, key),
        "examples_gone": _names(gone, key),
        "cells_changed": cells,
    }


def _names(rows: pl.DataFrame, key: list[str]) -> list[str]:
    return [" / ".join(map(str, row)) for row in rows.select(key).head(SHOWN).rows()]


def _moved(moved: pl.DataFrame, key: list[str], column: str, of: int, limit: float) -> dict[str, Any]:
    """The changed cells of one column: how many, how many by more than a factor, and the largest."""
    now = f"{column} now"
    shown = moved.select(*key, pl.col(column), pl.col(now))
    beyond = 0
    if moved.schema[column].is_numeric():
        factor = (pl.col(now) / pl.col(column)).abs()
        shown = shown.with_columns(
            ratio=pl.when(pl.col(column).is_null() | pl.col(now).is_null())
            .then(None)
            .when((pl.col(column) == 0) | (pl.col(now) == 0))
            .then(float("inf"))
            .otherwise(pl.max_horizontal(factor, 1 / factor))
        )
        beyond = shown.filter(pl.col("ratio") > limit).height
        shown = shown.sort("ratio", descending=True, nulls_last=True, maintain_order=True)
    largest = [
        {"row": " / ".join(map(str, row[: len(key)])), "before": row[len(key)], "after": row[len(key) + 1]}
        for row in shown.head(SHOWN).rows()
    ]
    known = int(moved[column].is_not_null().sum())
    return {
        "changed": moved.height,
        "of": of,
        "known_before": known,
        "beyond_ratio": beyond,
        "largest": json.loads(json.dumps(largest, default=str)),
    }


def beyond_limits(source: Source, change: Mapping[str, Any], before: pl.DataFrame) -> list[str]:
    """Why a change needs a person, as sentences; none if it lies within the limits of the catalog."""
    limits = source.limits
    rows = max(change["rows_before"], 1)
    found = [
        f"{change[f'rows_{kind}']:,} of {rows:,} rows {kind} (limit {limit:.0%})"
        for kind, limit in (("gone", limits.rows_gone_fraction), ("added", limits.rows_fraction))
        if change[f"rows_{kind}"] > limit * rows
    ]
    for column, cells in change["cells_changed"].items():
        filled = max(int(before[column].is_not_null().sum()), 1)
        lost_or_moved = cells["known_before"]
        if lost_or_moved > limits.values_fraction * filled:
            found.append(
                f"{lost_or_moved:,} of {filled:,} values of {column} changed "
                f"(limit {limits.values_fraction:.0%})"
            )
        if cells["beyond_ratio"] > limits.cells_beyond_ratio:
            largest = cells["largest"][0]
            found.append(
                f"{cells['beyond_ratio']:,} values of {column} changed by a factor above {limits.ratio:g}, "
                f"e.g. {largest['row']}: {largest['before']} to {largest['after']}"
            )
    return found


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


def as_json(settled: Settled) -> str:
    """Everything of it, for the process that builds."""
    return json.dumps(asdict(settled), ensure_ascii=False)
