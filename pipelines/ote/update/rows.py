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

from ote import catalog
from ote.answers import quantities
from ote.catalog import Source
from ote.ingestion import baseline, row_checks
from ote.ingestion.baseline import FileFacts
from ote.ingestion.model_text import look_alikes
from ote.ingestion.tabular import UpstreamChangedError
from ote.update.files import Bytes, Fetched, is_same
from ote.update.likeness import unlike_models
from ote.update.mixes import unlike_mix
from ote.update.revisions import (
    CELLS,
    beyond_frontier,
    beyond_limits,
    cells,
    changed,
    first,
    moved_far,
    renamed,
    unlike_neighbours,
)

Parse = Callable[[Mapping[str, bytes]], pl.DataFrame]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What an update would make of one source.

    problem: why there is nothing to take; empty otherwise. exceeded: the limits that a person must lift.
    is_new: whether anything differs from what was accepted. unasked: why files were not asked for.
    known: the findings of the quarantine before this update. notices: what a reviewer should look at.
    cells: every cell that changes; see revisions.cells. renames: new names with the accepted ones.
    """

    source: str
    files: dict[str, FileFacts] = field(default_factory=dict)
    rows: pl.DataFrame = field(default_factory=pl.DataFrame)
    quarantined: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema=row_checks.QUARANTINE_SCHEMA)
    )
    known: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=row_checks.QUARANTINE_SCHEMA))
    change: dict[str, Any] = field(default_factory=dict)
    cells: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CELLS))
    renames: dict[str, str] = field(default_factory=dict)
    exceeded: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    problem: str = ""
    unasked: str = ""
    is_new: bool = False


def parser(source: Source) -> Parse:
    """The function `parse` of a source's module."""
    parse: Parse = importlib.import_module(f"ote.sources.{source.name}").parse
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
    before = baseline.accepted(folder, source) if baseline.path_of(folder, source).exists() else None
    here = {f: facts for f, facts in fetched.files.items() if (fetched.folder / facts.sha256).exists()}
    try:
        frame = parser(source)(Bytes(fetched.folder, here))
        kept = fetched.files.keys() - here.keys()
        drift = baseline.drift(folder)
        found = judged(source, frame, before, retrieved, bool(kept), is_accepted, drift)
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
    drift: pl.DataFrame | None = None,
) -> Candidate:
    """What an update would make of parsed rows. Where one is turned away, the accepted row of its key stays.

    Args:
        source: the source.
        frame: what its parser gave.
        before: the accepted rows; None before the first update.
        retrieved: the day on which the files were fetched.
        is_partial: whether the accepted rows of years that are not in the frame stay.
        is_accepted: whether a person says that the change is right: no row is held back.
        drift: the rows of drift.csv.

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
    drift = pl.DataFrame(schema=baseline.DRIFT_SCHEMA) if drift is None else drift
    key = catalog.tables()[source.table].key
    rows = pl.concat([rows, _lost(before, rows, quarantined, key)])
    if is_partial:
        other_years = before.filter(~pl.col("year").is_in(rows["year"].implode()))
        rows = pl.concat([rows, other_years]).sort(list(key))
    renames = renamed(source, before, rows)
    rows = _under(rows, renames)
    alike = look_alikes(rows[key[0]], before[key[0]]) if key == ("model",) else {}
    gone = {name: like for name, like in alike.items() if like not in rows[key[0]]}
    turned_away = pl.concat([beyond_frontier(source, before, rows), _look_alikes(source, before, alike)])
    rows = _held(before, _under(rows, gone), turned_away, key, renames | gone)
    stay = turned_away.clear()
    if not is_accepted:
        far = moved_far(source, before, rows, first(source, before, drift))
        unlike = unlike_models(source, before, rows)
        stay = pl.concat([far, unlike.join(far, on="row_key", how="anti")])
    rows = _held(before, rows, stay, key, renames)
    return _compared(source, before, rows, pl.concat([quarantined, turned_away, stay]), drift, renames)


def held_back(found: Candidate, findings: pl.DataFrame, folder: Path) -> Candidate:
    """A candidate without the rows that later steps turn away: where there is an accepted one, that stays.

    Args:
        found: the candidate.
        findings: of the quarantine, a row for each reason.
        folder: the baseline.
    """
    source, drift = catalog.sources()[found.source], baseline.drift(folder)
    before = baseline.accepted(folder, source)
    rows = _under(found.rows, found.renames)
    rows = _held(before, rows, findings, catalog.tables()[source.table].key, found.renames)
    quarantined = pl.concat([found.quarantined, findings])
    again = _compared(source, before, rows, quarantined, drift, found.renames)
    return replace(again, files=found.files, unasked=found.unasked, known=found.known)


def _under(rows: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """Models under other names."""
    return rows.with_columns(pl.col("model").replace(dict(names))) if names else rows


def _held(
    before: pl.DataFrame,
    rows: pl.DataFrame,
    findings: pl.DataFrame,
    key: tuple[str, ...],
    renames: Mapping[str, str],
) -> pl.DataFrame:
    """The rows, with the accepted ones in place of those that findings hold back or turn away."""
    is_held = row_checks.named(key).is_in(findings["row_key"].replace(dict(renames)).implode())
    return pl.concat([rows.filter(~is_held), before.filter(is_held)])


def _compared(
    source: Source,
    before: pl.DataFrame,
    rows: pl.DataFrame,
    quarantined: pl.DataFrame,
    drift: pl.DataFrame,
    renames: Mapping[str, str],
) -> Candidate:
    """The rows that are left beside the accepted ones, and the limits that their changes exceed.

    Args:
        source: the source.
        before: its accepted rows.
        rows: those that are left, of renamed models under the accepted name.
        quarantined: the findings of the others.
        drift: the rows of drift.csv.
        renames: the new names of renamed models, with the accepted ones.
    """
    change = changed(source, before, rows, first(source, before, drift))
    held = quarantined["row_key"].replace(dict(renames))
    renames = {new: accepted for new, accepted in renames.items() if accepted not in held}
    unexplained, notices = unlike_mix(source, before, rows)
    return Candidate(
        source=source.name,
        rows=_under(rows, {accepted: new for new, accepted in renames.items()}),
        quarantined=quarantined,
        change=change,
        cells=cells(source, before, rows),
        renames=renames,
        notices=[*notices, *_renamed(renames)],
        exceeded=[
            *_too_few(source, rows, quarantined),
            *beyond_limits(source, change, before),
            *unlike_neighbours(source, before, rows),
            *unexplained,
        ],
        is_new=True,
    )


def _renamed(renames: Mapping[str, str]) -> list[str]:
    """The renamed models, in one sentence."""
    named = [f"{accepted} is now named {new}" for new, accepted in renames.items()]
    return [f"{quantities.counted(len(named), 'model')} renamed: {'; '.join(named)}"] if named else []


def _lost(
    before: pl.DataFrame, rows: pl.DataFrame, quarantined: pl.DataFrame, key: tuple[str, ...]
) -> pl.DataFrame:
    """The accepted rows of keys of which no row is left, since a rule turns it away: they stay."""
    known = before.filter(row_checks.named(key).is_in(quarantined["row_key"].implode()))
    return known.join(rows, on=key, how="anti", nulls_equal=True)


def _look_alikes(source: Source, before: pl.DataFrame, found: Mapping[str, str]) -> pl.DataFrame:
    """New names that look like an accepted one, as findings: they would take its place for a reader."""
    findings = [
        (source.name, name, "model", name, "name", f"It looks like {like!r}.") for name, like in found.items()
    ]
    return row_checks.advised(
        pl.DataFrame(findings, schema=row_checks.QUARANTINE_SCHEMA, orient="row"), source, before
    )


def _too_few(source: Source, rows: pl.DataFrame, quarantined: pl.DataFrame) -> list[str]:
    """Why too much of a source is missing or fails a rule, if it does."""
    lost, limit = quarantined["row_key"].n_unique(), source.limits.quarantined_fraction
    keys = rows.select(row_checks.named(catalog.tables()[source.table].key)).to_series()
    known = pl.concat([keys, quarantined["row_key"]]).n_unique()
    found = [] if rows.height else ["no row is left"]
    if lost > limit * known:
        found.append(f"{lost:,} of {known:,} rows break a rule (limit {limit:.0%})")
    return [f"{text}, e.g. {example(quarantined)}" if lost else text for text in found]


def example(quarantined: pl.DataFrame) -> str:
    """The first cell that turned a row away, with the reason."""
    row = quarantined.row(0, named=True)
    return f"{row['row_key']}: {row['column_name']} = {row['cell']!r}. {row['message']}"
