"""From the files of one source to rows that may be accepted, and what keeps them from it.

Belongs here: parsing, the rules of single rows, and the comparison with the accepted rows. Does not belong
here: HTTP (files.py), or what the rows do to the published results (results.py).
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pipelines import catalog
from pipelines.catalog import Source
from pipelines.ingestion import baseline, row_checks
from pipelines.ingestion.baseline import FileFacts
from pipelines.ingestion.model_text import look_alikes
from pipelines.ingestion.tabular import UpstreamChangedError
from pipelines.update.files import Bytes, Fetched, is_same
from pipelines.update.mixes import unlike_mix
from pipelines.update.revisions import (
    beyond_frontier,
    beyond_limits,
    changed,
    moved_far,
    unlike_neighbours,
)

Parse = Callable[[Mapping[str, bytes]], pl.DataFrame]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What an update would make of one source.

    problem: why there is nothing to take; empty otherwise. exceeded: the limits that a person must lift.
    is_new: whether anything differs from what was accepted. unasked: why files were not asked for.
    known: the findings of the quarantine before this update. notices: what a reviewer should look at.
    """

    source: str
    files: dict[str, FileFacts] = field(default_factory=dict)
    rows: pl.DataFrame = field(default_factory=pl.DataFrame)
    quarantined: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema=row_checks.QUARANTINE_SCHEMA)
    )
    known: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=row_checks.QUARANTINE_SCHEMA))
    change: dict[str, Any] = field(default_factory=dict)
    exceeded: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    problem: str = ""
    unasked: str = ""
    is_new: bool = False


def parser(source: Source) -> Parse:
    """The function `parse` of a source's module."""
    parse: Parse = importlib.import_module(f"pipelines.sources.{source.name}").parse
    return parse


def candidate(
    source: Source, fetched: Fetched, folder: Path, *, refetch: bool = False, is_accepted: bool = False
) -> Candidate:
    """Parse what came, apply the rules of the catalog to each row, and compare with the accepted rows.

    Args:
        source: the source.
        fetched: its files.
        folder: the baseline.
        refetch: parse also where every file is as it was.
        is_accepted: whether a person says that the change is right.
    """
    known = baseline.files(folder).get(source.name, {})
    if fetched.problems:
        more = f" (and {len(fetched.problems) - 1} more files)" if len(fetched.problems) > 1 else ""
        return Candidate(source=source.name, problem=f"{fetched.problems[0]}{more}")
    if is_same(fetched.files, known) and not refetch:
        return Candidate(source=source.name, files=known, unasked=fetched.unasked)
    retrieved = date.fromisoformat(max(facts.retrieved_at for facts in fetched.files.values())[:10])
    before = baseline.load(folder, source)[0] if baseline.path_of(folder, source).exists() else None
    here = {f: facts for f, facts in fetched.files.items() if (fetched.folder / facts.sha256).exists()}
    try:
        frame = parser(source)(Bytes(fetched.folder, here))
        kept = fetched.files.keys() - here.keys()
        found = judged(source, frame, before, retrieved, bool(kept), is_accepted)
        listed = baseline.listed_quarantine(folder).filter(source=source.name)
        return replace(found, files=fetched.files, unasked=fetched.unasked, known=listed)
    except UpstreamChangedError as error:
        return Candidate(source=source.name, problem=f"not readable: {error}")


def judged(
    source: Source,
    frame: pl.DataFrame,
    before: pl.DataFrame | None,
    retrieved: date,
    is_partial: bool = False,
    is_accepted: bool = False,
) -> Candidate:
    """What an update would make of parsed rows.

    Args:
        source: the source.
        frame: what its parser gave.
        before: the accepted rows; None before the first update.
        retrieved: the day on which the files were fetched.
        is_partial: whether the accepted rows of years that are not in the frame stay.
        is_accepted: whether a person says that the change is right: no row is held back.

    Raises:
        UpstreamChangedError: the frame has other columns than the catalog.
    """
    rows, quarantined = row_checks.checked(frame, source, retrieved, before)
    if before is None:
        change = changed(source, baseline.empty(source), rows)
        return Candidate(
            source=source.name, rows=rows, quarantined=quarantined, change=change, is_new=True,
            exceeded=_too_few(source, rows, quarantined),
        )  # fmt: skip
    key = catalog.tables()[source.table].key
    rows = pl.concat([rows, _undecided(before, rows, quarantined, key)])
    if is_partial:
        other_years = before.filter(~pl.col("year").is_in(rows["year"].implode()))
        rows = pl.concat([rows, other_years]).sort(list(key))
    turned_away = pl.concat([beyond_frontier(source, before, rows), _look_alikes(source, before, rows)])
    rows = rows.filter(~pl.col(key[0]).is_in(turned_away["row_key"].implode()))
    stay = turned_away.clear() if is_accepted else moved_far(source, before, rows)
    rows = _held(before, rows, stay, key)
    return _compared(source, before, rows, pl.concat([quarantined, turned_away, stay]))


def _held(before: pl.DataFrame, rows: pl.DataFrame, stay: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    """The rows, with the accepted ones in place of those that are held back."""
    named = pl.concat_str(pl.col(key).cast(pl.String), separator=" / ", ignore_nulls=True)
    is_held = named.is_in(stay["row_key"].implode())
    return pl.concat([rows.filter(~is_held), before.filter(is_held)])


def _compared(
    source: Source, before: pl.DataFrame, rows: pl.DataFrame, quarantined: pl.DataFrame
) -> Candidate:
    """The rows that are left beside the accepted ones, and the limits that their changes exceed."""
    change = changed(source, before, rows)
    unexplained, notices = unlike_mix(source, before, rows)
    return Candidate(
        source=source.name,
        rows=rows,
        quarantined=quarantined,
        change=change,
        notices=notices,
        exceeded=[
            *_too_few(source, rows, quarantined),
            *beyond_limits(source, change, before),
            *unlike_neighbours(source, before, rows),
            *unexplained,
        ],
        is_new=True,
    )


def _undecided(
    before: pl.DataFrame, rows: pl.DataFrame, quarantined: pl.DataFrame, key: tuple[str, ...]
) -> pl.DataFrame:
    """The accepted rows of keys that come several times with other values: they stay."""
    repeated = quarantined.filter(pl.col("check_name") == "key")["row_key"]
    named = pl.concat_str(pl.col(key).cast(pl.String), separator=" / ", ignore_nulls=True)
    known = before.filter(named.is_in(repeated.implode()))
    return known.join(rows, on=key, how="anti", nulls_equal=True)


def _look_alikes(source: Source, before: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """New names that look like an accepted one, as findings: they would take its place for a reader."""
    key = catalog.tables()[source.table].key
    found = look_alikes(rows[key[0]], before[key[0]]) if key == ("model",) else {}
    todo = row_checks.advice(source)
    findings = [
        (source.name, name, key[0], name, "name", f"It looks like {like!r}. {todo}")
        for name, like in found.items()
    ]
    return pl.DataFrame(findings, schema=row_checks.QUARANTINE_SCHEMA, orient="row")


def _too_few(source: Source, rows: pl.DataFrame, quarantined: pl.DataFrame) -> list[str]:
    """Why too much of a source is missing or fails a rule, if it does."""
    lost, limit = quarantined["row_key"].n_unique(), source.limits.quarantined_fraction
    found = [] if rows.height else ["no row is left"]
    if lost > limit * (rows.height + lost):
        found.append(f"{lost:,} of {rows.height + lost:,} rows break a rule (limit {limit:.0%})")
    return [f"{text}, e.g. {example(quarantined)}" if lost else text for text in found]


def example(quarantined: pl.DataFrame) -> str:
    """The first cell that turned a row away, with the reason."""
    row = quarantined.row(0, named=True)
    return f"{row['row_key']}: {row['column_name']} = {row['cell']!r}. {row['says']}"
