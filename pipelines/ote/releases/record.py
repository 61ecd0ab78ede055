"""What is remembered of a release, small enough to be tracked in git: warehouse/released/.

    record.json      version, content, commit; of each table its key, rows, columns and their checksums
    estimates.csv    the estimates with their intervals
    CHANGES.md       what the release says of the one before it
    forecasts.csv    the estimates of what nobody has published (forecasts.py)

The version of the next release, its CHANGES.md and the rules on renamed columns follow from this record, so a
release is a function of a commit: no earlier release needs to be on the disk. Each release holds the same
record.json. Belongs here: the record, and what two records differ in. Does not belong here: single cells of
two releases (changes.py), or writing a release (release.py).
"""

import hashlib
import json
import math
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from ote import catalog, files

RECORD, ESTIMATES, CHANGES = "record.json", "estimates.csv", "CHANGES.md"
MAJOR, MINOR, PATCH, NONE = "major", "minor", "patch", "none"
QUANTITIES = ("energy_mwh", "co2e_gross_t", "co2e_net_t")
COLUMNS = tuple(f"{quantity}{end}" for quantity in QUANTITIES for end in ("", "_p05", "_p95"))
MOVED = 1.2  # estimates that moved by more than this factor are listed
LISTED = 20  # runs that came or went
SHOWN = 3  # reasons of a step, in messages
HOW = "see CONTRIBUTING.md, 'Rename a published column'"

Estimates = dict[str, dict[str, float]]  # by run_id and column


class BadRecordError(Exception):
    """The record cannot be read; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a release: its type, a checksum of its values, and since when it is deprecated.

    The checksum of a column with one value throughout begins with `=`: others may have that value as well.
    """

    type: str
    sha256: str
    deprecated_since: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of a release. sha256 covers all its values."""

    key: list[str]
    rows: int
    sha256: str
    columns: dict[str, Column]


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is remembered of a release. method_sha256 covers the queries behind the estimates."""

    version: str
    content: str
    commit: str | None
    method_sha256: str
    tables: dict[str, Table]
    estimates: Estimates


def of(connection: duckdb.DuckDBPyConnection, version: str, content: str, commit: str | None) -> Record:
    """The record of what was built."""
    from ote import models

    behind = "".join(models.code(name) for name in models.method_of("out.emissions"))
    columns = ", ".join(f'"{name}"' for name in COLUMNS)
    rows = connection.execute(f"select run_id, {columns} from out.emissions order by run_id").fetchall()
    return Record(
        version=version,
        content=content,
        commit=commit,
        method_sha256=hashlib.sha256(behind.encode()).hexdigest(),
        tables={table.stem: _table(connection, table) for table in catalog.public_tables()},
        estimates={run_id: _known(values) for run_id, *values in rows},
    )


def _known(values: list[float | None]) -> dict[str, float]:
    return {name: value for name, value in zip(COLUMNS, values, strict=True) if value is not None}


def _table(connection: duckdb.DuckDBPyConnection, table: catalog.Table) -> Table:
    sums = ", ".join(
        f"""if(
            count("{c.name}") = 0 or (count("{c.name}") = count(*) and min("{c.name}") = max("{c.name}")),
            '=', ''
        ) || sha256(string_agg(coalesce(cast("{c.name}" as varchar), chr(0)), chr(31) order by rowid))"""
        for c in table.columns
    )
    sha256 = connection.execute(f"select {sums} from {table.name}").fetchall()[0]
    known = "select version, row_count from state.tables where name = ?"
    ((version, rows),) = connection.execute(known, [table.name]).fetchall()
    columns = {
        column.name: Column(type=column.type, sha256=digest or "", deprecated_since=column.deprecated_since)
        for column, digest in zip(table.columns, sha256, strict=True)
    }
    return Table(key=list(table.key), rows=rows, sha256=version, columns=columns)


def text(record: Record) -> str:
    """record.json."""
    stated = asdict(replace(record, estimates={}))
    del stated["estimates"]
    return json.dumps(stated, indent=0) + "\n"  # a value a line for git, without 15 kB of blanks


def estimates_text(record: Record) -> str:
    """estimates.csv."""
    lines = [",".join(("run_id", *COLUMNS))]
    lines += [
        ",".join((run_id, *(repr(known[name]) if name in known else "" for name in COLUMNS)))
        for run_id, known in sorted(record.estimates.items())
    ]
    return "\n".join(lines) + "\n"


def keep(release: Path, released: Path) -> None:
    """Make a release the last one: copy its record to where it is tracked.

    Raises:
        BadRecordError: the release has no record.
    """
    record = read(release)
    if record is None:
        raise BadRecordError(f"{release / RECORD}: missing. Build again: ote build")
    released.mkdir(parents=True, exist_ok=True)
    changes = (release / CHANGES).read_text(encoding="utf-8")
    for name, content in ((CHANGES, changes), (ESTIMATES, estimates_text(record)), (RECORD, text(record))):
        files.write(released / name, content)


def read(folder: Path) -> Record | None:
    """The record in a folder: the tracked one, or that of a release; None before the first release.

    Raises:
        BadRecordError: it is there and cannot be read.
    """
    try:
        stated = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        tables = {
            name: Table(**table | {"columns": {c: Column(**of) for c, of in table["columns"].items()}})
            for name, table in stated.pop("tables").items()
        }
        return Record(**stated, tables=tables, estimates=_estimates(folder))
    except FileNotFoundError:
        return None
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError, duckdb.Error) as error:
        raise BadRecordError(
            f"{folder / RECORD}: not the record of a release ({type(error).__name__}: {error}). "
            "Restore it with git."
        ) from None


def _estimates(folder: Path) -> Estimates:
    tracked, released = folder / ESTIMATES, folder / "parquet" / "emissions.parquet"
    function, path = ("read_csv", tracked) if tracked.exists() else ("read_parquet", released)
    columns = ", ".join(f'cast("{name}" as double)' for name in COLUMNS)
    rows = duckdb.execute(f"select run_id, {columns} from {function}(?)", [str(path)]).fetchall()
    return {run_id: _known(values) for run_id, *values in rows}


def difference(old: Record, new: Record) -> tuple[str, list[str]]:
    """The step of SemVer that a record asks for after another, and the reasons for it."""
    found = [*_steps(old, new)]
    step = next((rank for rank in (MAJOR, MINOR, PATCH) if any(rank == of for of, _ in found)), NONE)
    return step, [says for of, says in found if of == step]


def _steps(old: Record, new: Record) -> Iterator[tuple[str, str]]:
    for name in sorted(old.tables.keys() | new.tables.keys()):
        if name not in new.tables:
            yield MAJOR, f"table {name} is gone"
        elif name not in old.tables:
            yield MINOR, f"table {name} is new"
        else:
            yield from _table_steps(name, old.tables[name], new.tables[name])
    came, went = new.estimates.keys() - old.estimates.keys(), old.estimates.keys() - new.estimates.keys()
    if came or went:
        yield MINOR, f"{len(came):,} estimates are new, {len(went):,} are gone"
    if old.method_sha256 != new.method_sha256 and (moved := _moved_medians(old, new)):
        yield MAJOR, f"the method changed, and with it the median of {', '.join(moved)}"


def _table_steps(name: str, old: Table, new: Table) -> Iterator[tuple[str, str]]:
    for column in sorted(old.columns.keys() | new.columns.keys()):
        if column not in new.columns:
            yield MAJOR, f"{name}.{column} is gone"
        elif column not in old.columns:
            yield MINOR, f"{name}.{column} is new"
        elif old.columns[column].type != new.columns[column].type:
            yield MAJOR, f"{name}.{column} has another type"
    if old.key != new.key:
        yield MAJOR, f"the key of {name} changed"
    if old.rows != new.rows:
        yield MINOR, f"{name} has {new.rows:,} rows instead of {old.rows:,}"
    elif old.sha256 != new.sha256:
        yield PATCH, f"values of {name} changed"


def _moved_medians(old: Record, new: Record) -> list[str]:
    """The quantities whose median over the runs of both records moved by more than 1 %."""
    moved = []
    for name in QUANTITIES:
        both = [
            run
            for run in old.estimates.keys() & new.estimates.keys()
            if name in old.estimates[run] and name in new.estimates[run]
        ]
        was, now = (sorted(record.estimates[run][name] for run in both) for record in (old, new))
        if both and was[len(was) // 2] and abs(now[len(now) // 2] / was[len(was) // 2] - 1) > 0.01:
            moved.append(name)
    return moved


def next_version(version: str, step: str) -> str:
    """The version after a step of SemVer."""
    major, minor, patch = (int(part) for part in re.split(r"[-+]", version)[0].split("."))
    return {
        MAJOR: f"{major + 1}.0.0",
        MINOR: f"{major}.{minor + 1}.0",
        PATCH: f"{major}.{minor}.{patch + 1}",
        NONE: f"{major}.{minor}.{patch}",
    }[step]


def version(old: Record | None, new: Record) -> tuple[str, str]:
    """The version of what was built, and why it is a draft; empty if it is a release.

    A release has the version of catalog.yaml. It must be higher than that of the record by the step that the
    difference needs. Equal content has the version of the record.
    """
    wanted = catalog.dataset().version
    if old is None:
        return wanted, ""
    if old.content == new.content:
        return old.version, ""
    step, reasons = difference(old, new)
    needed = next_version(old.version, step)
    if [*map(int, wanted.split("."))] >= [*map(int, needed.split("."))]:
        return wanted, ""
    return draft_version(wanted, new.content), (
        f"it differs from {old.version} by a {step} step ({'; '.join(reasons[:SHOWN])}), and the version in "
        f"catalog.yaml is {wanted}: write {needed} there"
    )


def draft_version(wanted: str, content: str) -> str:
    """The version of a draft on the way to a version."""
    return f"{wanted}-draft.{content[:8]}"


def broken_promises(old: Record, new: Record) -> list[str]:
    """The names that a release takes away too early, a sentence each.

    A column that got another name keeps the old one as a copy, for two minor versions at least, counted from
    the first that has the copy. A renamed column is known by its values, which are those of the old one.
    """
    found: list[str] = []
    for name in sorted(old.tables.keys() & new.tables.keys()):
        was, now = old.tables[name].columns, new.tables[name].columns
        for column in sorted(now):
            since = now[column].deprecated_since
            had = column in was and not was[column].deprecated_since
            if since and had and _minor(since) <= _minor(old.version):
                found.append(
                    f"{name}.{column} cannot be deprecated since {since}, for {old.version} had it as it "
                    f"was: write the minor version that follows; {HOW}"
                )
        for column in sorted(was.keys() - now.keys()):
            since = was[column].deprecated_since
            if since and _minor(old.version) <= _minor(since):
                found.append(
                    f"{name}.{column} is deprecated since {since}, and must stay in two minor versions: "
                    f"{old.version} is of the first; {HOW}"
                )
            values = was[column].sha256
            renamed = [c for c in sorted(now.keys() - was.keys()) if now[c].sha256 == values]
            if not since and renamed and not values.startswith("="):
                found.append(f"{name}.{column} is {renamed[0]} now: keep the old name as well; {HOW}")
    return found


def _minor(version: str) -> tuple[int, int]:
    major, minor, _ = re.split(r"[-+]", version)[0].split(".")
    return int(major), int(minor)


def changes(old: Record | None, new: Record, released: Path) -> str:
    """CHANGES.md: that of the last release where it is built again, as from its tag; else a new one.

    Raises:
        BadRecordError: the record is there without its CHANGES.md.
    """
    if old is None or old.content != new.content:
        return page(old, new)
    try:
        return (released / CHANGES).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = f"{released / CHANGES}: cannot be read ({error}). Restore it with git."
        raise BadRecordError(why) from None


def page(old: Record | None, new: Record) -> str:
    """What changed since the release before, for those who use the data."""
    return "\n".join(_page(old, new)) + "\n"


def _page(old: Record | None, new: Record) -> Iterator[str]:
    if old is None:
        yield from (f"# {new.version}", "", "The first release: there is none before it to compare with.")
        return
    step, reasons = difference(old, new)
    yield from (f"# Changes from {old.version} to {new.version}", "")
    yield from (f"A {step} step: {'; '.join(reasons)}.", "", "| table | rows before | rows now | columns |")
    yield "|---|---|---|---|"
    for name in sorted(old.tables.keys() & new.tables.keys()):
        was, now = old.tables[name], new.tables[name]
        if was.sha256 != now.sha256:
            both = sorted(was.columns.keys() & now.columns.keys())
            differ = [column for column in both if was.columns[column].sha256 != now.columns[column].sha256]
            yield f"| {name} | {was.rows:,} | {now.rows:,} | {', '.join(differ)} |"
    for title, runs in (
        ("New estimates", new.estimates.keys() - old.estimates.keys()),
        ("Estimates that are gone", old.estimates.keys() - new.estimates.keys()),
    ):
        if runs:
            more = f", and {len(runs) - LISTED:,} more" if len(runs) > LISTED else ""
            yield from ("", f"{title} ({len(runs):,}): {', '.join(sorted(runs)[:LISTED])}{more}.")
    yield from _moved(old, new)
    yield from ("", "`ote release diff` lists every row and cell that differs between two releases at hand.")


def _moved(old: Record, new: Record) -> Iterator[str]:
    """The estimates that moved, the most first."""
    ratios = [
        (new.estimates[run][name] / was, run, name, was)
        for run in old.estimates.keys() & new.estimates.keys()
        for name, was in old.estimates[run].items()
        if name in QUANTITIES and was and new.estimates[run].get(name)
    ]
    moved = sorted((r for r in ratios if abs(math.log(r[0])) > math.log(MOVED)), key=_far)
    if moved:
        yield from ("", f"Estimates that moved by more than {MOVED - 1:.0%}:", "")
        yield from ("| run | quantity | from | to | ratio |", "|---|---|---|---|---|")
    for ratio, run, name, was in moved:
        yield f"| {run} | {name} | {was:,.4g} | {new.estimates[run][name]:,.4g} | {ratio:.3g} |"


def _far(moved: tuple[float, str, str, float]) -> tuple[Any, ...]:
    ratio, run, name, _ = moved
    return (-abs(math.log(ratio)), run, name)
