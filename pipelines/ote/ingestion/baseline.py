"""The accepted rows of every upstream: warehouse/baseline/, tracked in git. Acceptance is a commit.

    <source>.csv     its rows, sorted by key, in the columns of its raw table
    manifest.csv     a row a source: producer, licence, address, day of retrieval, rows, what changed last
    files.csv        a row a file that the rows were made from: address, sha256, size
    quarantine.csv   the cells that turned rows away, each with the reason
    drift.csv        what numbers were before updates moved them in steps that needed no person
    update.md        the report of the update that was accepted last
    update.csv       every cell that it changed

Belongs here: reading these files, and replacing them all at once. Does not belong here: what may be accepted
(update/), or the tables made of the rows (upstream.py).
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import polars as pl

from ote import catalog
from ote.catalog import Source
from ote.ingestion import row_checks
from ote.ingestion.tabular import UpstreamChangedError, read_csv

MANIFEST, FILES, QUARANTINE, DRIFT = "manifest.csv", "files.csv", "quarantine.csv", "drift.csv"
REPORT, CELLS = "update.md", "update.csv"
DRIFT_SCHEMA = dict.fromkeys(("source", "row_key", "column_name", "cell"), pl.String)
READY = "baseline.ready"  # beside the baseline: the files of an update that is decided, but not yet in place


class BadBaselineError(Exception):
    """A file of the baseline is missing or cannot be read; the message says which, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """One row of manifest.csv: where the rows of a source come from, and how they last changed."""

    source: str
    producer: str
    license: str
    url: str
    retrieved_at: str
    rows: int
    quarantined_rows: int
    sha256: str
    last_change: str


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """One row of files.csv. `etag` and `last_modified` let the next update ask whether anything changed."""

    source: str
    file: str
    url: str
    sha256: str
    size_bytes: int
    http_status: int
    retrieved_at: str
    etag: str = ""
    last_modified: str = ""


def path_of(folder: Path, source: Source) -> Path:
    """Where the rows of a source lie."""
    return folder / f"{source.name}.csv"


def load(folder: Path, source: Source) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of a source in the types of the catalog, and the cells that turn others away.

    A row that was accepted and breaks a rule all the same, because the rule is new or the file was edited
    by hand, is quarantined like a row of an update.

    Raises:
        BadBaselineError: the file is missing, is no CSV, or has other columns than the catalog.
    """
    path = path_of(folder, source)
    origin = origins(folder).get(source.name)
    try:
        return _checked(_bytes(path), path.name, source.name, origin.retrieved_at[:10] if origin else "")
    except UpstreamChangedError as error:
        raise BadBaselineError(
            f"{path}: {error}. Restore it with `git checkout {path.name}` in its folder, or fetch it again: "
            f"ote update --refetch {source.name}"
        ) from None


def accepted(folder: Path, source: Source) -> pl.DataFrame:
    """The accepted rows of a source; none before its first update.

    Raises:
        As load.
    """
    return load(folder, source)[0] if path_of(folder, source).exists() else empty(source)


@lru_cache(maxsize=32)  # a build asks for the rows of a source several times
def _checked(content: bytes, file: str, source: str, retrieved: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    day = date.fromisoformat(retrieved) if retrieved else None
    return row_checks.checked(read_csv(content, file), catalog.sources()[source], day)


def rows_of(folder: Path, table: str) -> pl.DataFrame:
    """The rows of a raw table, from every source that feeds it."""
    return pl.concat([load(folder, source)[0] for source in catalog.sources_of(table)])


def empty(source: Source) -> pl.DataFrame:
    """No rows, in the columns and types of the raw table of a source."""
    columns = catalog.tables()[source.table].columns
    return pl.DataFrame(schema={column.name: row_checks.TYPES[column.type] for column in columns})


def origins(folder: Path) -> dict[str, Origin]:
    """The rows of manifest.csv by source."""
    rows = _records(folder / MANIFEST, Origin)
    return {row["source"]: Origin(**row) for row in rows}


def files(folder: Path) -> dict[str, dict[str, FileFacts]]:
    """The rows of files.csv by source and file."""
    found: dict[str, dict[str, FileFacts]] = {}
    for row in _records(folder / FILES, FileFacts):
        found.setdefault(row["source"], {})[row["file"]] = FileFacts(**row)
    return found


def listed_quarantine(folder: Path) -> pl.DataFrame:
    """The rows of quarantine.csv: cells that turned rows away when they were fetched."""
    if not (folder / QUARANTINE).exists():
        return pl.DataFrame(schema=row_checks.QUARANTINE_SCHEMA)
    return _table(folder / QUARANTINE, list(row_checks.QUARANTINE_SCHEMA))


def drift(folder: Path) -> pl.DataFrame:
    """The rows of drift.csv; none before a first number moves.

    Raises:
        BadBaselineError: it cannot be read, or a cell is not a number.
    """
    if not (folder / DRIFT).exists():
        return pl.DataFrame(schema=DRIFT_SCHEMA)
    rows = _table(folder / DRIFT, list(DRIFT_SCHEMA))
    odd = rows.with_row_index("line", 2).filter(pl.col("cell").cast(pl.Float64, strict=False).is_null())
    for line, *_, cell in odd.head(1).rows():
        raise BadBaselineError(
            f"{folder / DRIFT}, line {line}: {cell!r} is not a number. Restore it with git."
        )
    return rows


def quarantine(folder: Path) -> pl.DataFrame:
    """Every cell that turned a row away, when it was fetched or by what `load` finds."""
    fetched = [source for source in catalog.sources().values() if source.name in origins(folder)]
    found = [load(folder, source)[1] for source in fetched]
    return pl.concat([listed_quarantine(folder), *found]).unique(maintain_order=True)


def edited(folder: Path) -> list[str]:
    """The sources whose rows are not those that an update wrote: edited by hand since."""
    return [
        name
        for name, origin in origins(folder).items()
        if name in catalog.sources()
        and hashlib.sha256(_bytes(path_of(folder, catalog.sources()[name]))).hexdigest() != origin.sha256
    ]


def edits(folder: Path) -> list[str]:
    """What was edited by hand, and the rows that a build leaves out for it: a sentence for each file."""
    stated = []
    for name in edited(folder):
        source, before = catalog.sources()[name], origins(folder)[name].rows
        rows, lost = load(folder, source)
        keys = lost["row_key"].unique(maintain_order=True)
        out = f", and {len(keys):,} of them break a rule and are left out" if len(keys) else ""
        first = f": {keys[0]}, {lost['column_name'][0]} = {lost['cell'][0]}" if len(keys) else ""
        stated.append(
            f"{path_of(folder, source)} was edited since `ote update` wrote it: {rows.height + len(keys):,} "
            f"rows, {before:,} then{out}{first}"
        )
    return stated


def problems(folder: Path) -> list[str]:
    """What keeps a baseline from being built, a text for each file; only `ote update` can do without one."""
    listed = [folder / name for name in (MANIFEST, FILES, QUARANTINE)]
    readers: list[Callable[[], object]] = [partial(_bytes, path) for path in listed]
    readers += [partial(read, folder) for read in (origins, files, listed_quarantine, drift)]
    readers += [partial(load, folder, source) for source in catalog.sources().values()]
    found: dict[str, None] = {}  # what several readers need is named once
    for read in readers:
        try:
            read()
        except BadBaselineError as error:
            found[str(error)] = None
    if not found and (lost := catalog.sources().keys() - origins(folder).keys()):
        found[f"{folder / MANIFEST}: no row of {', '.join(sorted(lost))}. Restore it with git."] = None
    return list(found)


def csv_bytes(rows: pl.DataFrame, key: Iterable[str]) -> bytes:
    """Rows as the baseline stores them: sorted by key, floats as short as they come back exactly."""
    return rows.sort(list(key)).write_csv(line_terminator="\n").encode()


def records_bytes(records: Iterable[Origin] | Iterable[FileFacts], key: tuple[str, ...]) -> bytes:
    """The rows of manifest.csv or files.csv, sorted by key."""
    return csv_bytes(pl.DataFrame([asdict(record) for record in records], infer_schema_length=None), key)


def replace(folder: Path, contents: dict[Path, bytes]) -> None:
    """Replace several tracked files, all or none: from the rename on, an interrupted call can be finished.

    Args:
        folder: the baseline; what is being replaced waits in a folder beside it.
        contents: the bytes of each file, by its path.
    """
    partial, ready = folder.with_name("baseline.partial"), folder.with_name(READY)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for place, (path, content) in enumerate(sorted(contents.items())):
        with (partial / f"{place}").open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        (partial / f"{place}.path").write_text(os.path.relpath(path, folder), encoding="utf-8")
    partial.rename(ready)
    finish(folder)


def finish(folder: Path) -> None:
    """Put the files of an interrupted `replace` in place; without one, nothing happens."""
    ready = folder.with_name(READY)
    for named in sorted(ready.glob("*.path")) if ready.is_dir() else ():
        path = (folder / named.read_text(encoding="utf-8")).resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        if named.with_suffix("").exists():
            named.with_suffix("").replace(path)
        named.unlink()
    if ready.is_dir():
        ready.rmdir()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        fetched = f", or fetch it: ote update {path.stem}" if path.stem in catalog.sources() else ""
        raise BadBaselineError(f"{path}: missing. Restore it with git{fetched}.") from None


def _table(path: Path, columns: list[str]) -> pl.DataFrame:
    try:
        table = read_csv(_bytes(path), path.name)
    except UpstreamChangedError as error:
        raise BadBaselineError(f"{path}: {error}. Restore it with git.") from None
    if table.columns != columns:
        raise BadBaselineError(
            f"{path}, line 1: expected the columns {','.join(columns)}. Restore it with git."
        )
    return table


def _records(path: Path, kind: type) -> list[dict[str, Any]]:
    """The rows of a file as the fields of a dataclass; before the first update there is no file."""
    if not path.exists():
        return []
    types = kind.__annotations__
    table = _table(path, list(types))
    whole = [pl.col(name).cast(pl.Int64) for name, of in types.items() if of is int]
    try:
        return table.with_columns(whole).with_columns(pl.col(pl.String).fill_null("")).to_dicts()
    except pl.exceptions.InvalidOperationError as error:
        raise BadBaselineError(f"{path}: {error}. Restore it with git.") from None
