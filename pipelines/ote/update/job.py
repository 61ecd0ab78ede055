"""The job `update`: what Dagster runs, and `ote update` with it. It is started alone, and by people.

    fetch_<source> -> check_<source>   for every source
      -> compare_results               one build before, one after
      -> rewrite_baseline              all tracked files at once, or none

Belongs here: the steps, and the decision. Does not belong here: what any step does (files.py, rows.py,
results.py, report.py).
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field, PrivateAttr

from ote import catalog, checkout, places
from ote.catalog import Source
from ote.ingestion import baseline, curated
from ote.ingestion.upstream import key_of
from ote.update import culprits, drift, files, progress, register, report, results
from ote.update.files import Fetched, Server
from ote.update.report import Report
from ote.update.results import Connection, Failure, Results
from ote.update.rows import Candidate, candidate, held_back
from ote.warehouse import lock

DESCRIPTION = """Fetch what the sources publish now, and compare it with the accepted rows and with the
published results. Within the limits of catalog.yaml, rewrite warehouse/baseline/ with a report, for you to
review and commit. The same as `ote update`. The job `build` then uses the new rows.

Settings, in the Launchpad: `sources` (names, separated by blanks; empty: all), `mirror` (address of a copy;
empty: the publishers) and `accept` (why a change beyond the limits is right)."""
ROUNDS = 3  # of taking out rows that break a check further down; more would hide a fault of the method


class NotUpdatedError(Exception):
    """The update cannot begin; the message says why, and what to do."""


def require_committed(folder: Path) -> None:
    """Refuse to begin on a baseline that is not as it was committed.

    An update that was cut short is finished first: what waits for a commit is then all of it.

    Raises:
        NotUpdatedError: names the files that differ.
    """
    baseline.finish(folder)
    if changed := checkout.uncommitted(folder):
        raise NotUpdatedError(
            f"{folder} has changes that are not committed: {', '.join(changed)}. An update compares with the "
            f"committed rows. Commit them, or undo them with `git checkout {folder}`, then update again."
        )


def _require_past_day(retrieved: str, mirror: str) -> None:
    """Refuse what is not the day on which a mirror can have been made."""
    try:
        day = date.fromisoformat(retrieved)
    except ValueError:
        day = None
    if day is None or f"{day}" != retrieved:
        raise NotUpdatedError(f"--retrieved {retrieved!r}: expected a day as YYYY-MM-DD.")
    if not mirror:
        raise NotUpdatedError("--retrieved: goes with --mirror; what a live server sends is of today.")
    if day > datetime.now(UTC).date():
        raise NotUpdatedError(f"--retrieved {retrieved}: expected a day that has come.")


class Upstream(dg.ConfigurableResource[Any]):
    """What to update, and from where: the settings of a run of the job."""

    sources: str = Field(default="", description="Names of sources, separated by blanks. Empty: all.")
    mirror: str = Field(
        default="", description="Address of a copy of the sources. Empty: fetch from the publishers."
    )
    retrieved: str = Field(
        default="", description="With mirror: when the copies were made, such as 2026-04-29."
    )
    accept: str = Field(
        default="", description="Why a change beyond the limits is right. Kept in the report."
    )
    keep: str = Field(default="", description="Folder for the fetched bytes, by checksum. Empty: keep none.")
    refetch: bool = Field(
        default=False, description="Fetch and parse every file, also where nothing changed."
    )
    baseline: str = Field(
        default=os.environ.get("OTE_BASELINE", str(places.BASELINE)),
        description="Folder of the accepted rows, which the job rewrites.",
    )
    reference: str = Field(
        default=os.environ.get("OTE_REFERENCE", str(places.REFERENCE)),
        description="Folder of the curated facts.",
    )
    warehouse: str = Field(
        default=os.environ.get("OTE_WAREHOUSE", str(places.WAREHOUSE)),
        description="Folder for the report of an update that is not accepted.",
    )

    _server: Server = PrivateAttr(default_factory=Server)
    _folder: Path = PrivateAttr(default_factory=Path)

    @property
    def names(self) -> list[str]:
        """The sources to update."""
        return self.sources.split() or list(catalog.sources())

    def require_sound(self) -> None:
        """Refuse to begin with settings that name nothing, or on a baseline that is not as committed.

        Raises:
            NotUpdatedError: says which setting, what was expected, and what to do.
        """
        known = catalog.sources()
        if strangers := sorted(set(self.names) - set(known)):
            near = [name for each in strangers for name in get_close_matches(each, known, 1)]
            hint = f" Did you mean {' and '.join(near)}?" if near else ""
            raise NotUpdatedError(f"{', '.join(strangers)}: not a source.{hint} Sources: {', '.join(known)}.")
        if self.mirror and not self.mirror.startswith(("http://", "https://")):
            raise NotUpdatedError(
                f"--mirror {self.mirror!r}: expected an address that begins with http:// or https://."
            )
        if self.retrieved:
            _require_past_day(self.retrieved, self.mirror)
        require_committed(Path(self.baseline))

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Upstream"]:
        """Hold the warehouse's lock; fetched bytes are gone in the end, unless they are kept."""
        retrieved = f"{self.retrieved}T00:00:00+00:00" if self.retrieved else ""
        self._server = Server(mirror=self.mirror, retrieved=retrieved)
        with lock(Path(self.warehouse), "ote update"), tempfile.TemporaryDirectory() as folder:
            self.require_sound()
            self._folder = Path(self.keep or folder)
            yield self

    def fetch(self, source: Source) -> Fetched:
        """The present files of a source; none, without a problem, if it is not to be updated."""
        known = baseline.files(Path(self.baseline)).get(source.name, {})
        if source.name not in self.names:
            unasked = "not asked for"
            return Fetched(source=source.name, folder=self._folder, files=known, problems=[], unasked=unasked)
        shown = progress.on_terminal()
        fetched = files.ask(self._folder, source, self._server, known, refetch=self.refetch, progress=shown)
        progress.clear()
        return fetched


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What the update would do: the candidates as they would be accepted, and what they do to the results."""

    candidates: list[Candidate]
    results: Results | None
    names: register.Register | None
    failures: list[Failure]


def fetch_op(source: Source) -> dg.OpDefinition:
    """Ask for the files of one source."""

    @dg.op(name=f"fetch_{source.name}", description=f"Download what changed of {source.title}.")
    def fetch(upstream: Upstream) -> Fetched:
        return upstream.fetch(source)

    return fetch


def check_op(source: Source) -> dg.OpDefinition:
    """Parse and check the rows of one source, and compare them with the accepted ones."""

    @dg.op(
        name=f"check_{source.name}",
        description=f"Parse {source.title}, check each row, and compare the rows with the accepted ones.",
    )
    def check(context: dg.OpExecutionContext, upstream: Upstream, fetched: Fetched) -> Candidate:
        refetch = upstream.refetch and source.name in upstream.names
        is_accepted = bool(upstream.accept.strip())
        folder = Path(upstream.baseline)
        found = candidate(source, fetched, folder, refetch=refetch, is_accepted=is_accepted)
        for line in report.lines(found):
            context.log.info(line)
        context.add_output_metadata({"comparison": dg.MetadataValue.md("  \n".join(report.lines(found)))})
        return found

    return check


@dg.op(description="Build the dataset before and after, and compare the published results.")
def compare_results(
    context: dg.OpExecutionContext, upstream: Upstream, candidates: list[Candidate]
) -> Comparison:
    """Hold back models that break a check or move an estimate far, and regions of no country.

    What still breaks is a failure.
    """
    folder, facts = Path(upstream.baseline), Path(upstream.reference)
    new = {found.source: found for found in candidates if found.is_new}
    if not new:
        return Comparison(candidates=candidates, results=None, names=None, failures=[])
    before = results.build(folder, facts, results.COMPARED) if folder.is_dir() else None
    with tempfile.TemporaryDirectory() as staged:
        for left in reversed(range(ROUNDS)):
            _stage(Path(staged), folder, new)
            after = results.build(Path(staged), facts, catalog.tables())
            broken, compared = results.failures(after), _compared(before, after)
            names = after.sql("from core.model_ids").pl()
            held = _to_hold(upstream, compared, broken, names, new) if left else {}
            if not held:
                break
            new |= {name: held_back(new[name], findings, folder) for name, findings in held.items()}
    if compared:
        context.add_output_metadata(report.measures(compared))
    registered = curated.read(facts, catalog.tables()[register.TABLE])
    return Comparison(
        candidates=[new.get(found.source, found) for found in candidates],
        results=compared,
        names=register.register(registered, names),
        failures=broken,
    )


def _compared(before: Connection | None, after: Connection) -> Results | None:
    """What two builds differ in, and what leads to it; nothing before the first update."""
    return results.traced(results.compare(before, after), before, after) if before else None


def _stage(staged: Path, folder: Path, new: Mapping[str, Candidate]) -> None:
    """Make a folder what the baseline would be after an update."""
    if folder.is_dir():
        shutil.copytree(folder, staged, dirs_exist_ok=True)
    for name, content in _tracked(folder, new).items():
        (staged / name).write_bytes(content)


def _to_hold(
    upstream: Upstream,
    compared: Results | None,
    broken: list[Failure],
    names: pl.DataFrame,
    new: Mapping[str, Candidate],
) -> dict[str, pl.DataFrame]:
    """The changed models that break a check, or that move an estimate far, and the regions of no country.

    With a reason, only those that break a check.

    Returns:
        The findings by source.
    """
    folder, models = Path(upstream.baseline), new.get(culprits.SOURCE)
    is_accepted = bool(upstream.accept.strip())
    found = {}
    if models:
        accepted = baseline.accepted(folder, catalog.sources()[culprits.SOURCE])
        found[culprits.SOURCE] = culprits.of_checks(broken, names, accepted, models)
        if compared and not is_accepted:
            far = culprits.of_moves(compared, models)
            known = found[culprits.SOURCE]
            found[culprits.SOURCE] = pl.concat([known, far.join(known, on="row_key", how="anti")])
    if compared and culprits.REGIONS in new and not is_accepted:
        found[culprits.REGIONS] = culprits.of_regions(compared)
    return {name: findings for name, findings in found.items() if findings.height}


@dg.op(
    description="Rewrite warehouse/baseline/ and report for the reviewer. Beyond the limits, change nothing."
)
def rewrite_baseline(context: dg.OpExecutionContext, upstream: Upstream, comparison: Comparison) -> Report:
    """The decision, and the tracked files that follow from it."""
    made = report.decide(comparison.candidates, comparison.results, comparison.failures, upstream.accept)
    made = replace(made, names=comparison.names)
    page = report.page(made, upstream.accept, datetime.now(UTC).date())
    cells = report.cells(made).write_csv(line_terminator="\n").encode()
    folder, facts = Path(upstream.baseline), Path(upstream.reference)
    new = {found.source: found for found in made.candidates if found.is_new}
    if made.is_accepted:
        tracked = _tracked(folder, new, is_accepted=bool(upstream.accept.strip()))
        contents = {folder / name: content for name, content in tracked.items()}
        contents[folder / baseline.REPORT] = page.encode()
        contents[folder / baseline.CELLS] = cells
        if made.names and made.names.changes.height:
            contents[facts / "model_names.csv"] = made.names.rows.write_csv(line_terminator="\n").encode()
        baseline.replace(folder, contents)
    elif made.is_new:
        (Path(upstream.warehouse) / baseline.REPORT).write_text(page, encoding="utf-8")
        (Path(upstream.warehouse) / baseline.CELLS).write_bytes(cells)
    for found in comparison.candidates:
        if found.source in upstream.names:
            is_taken = made.is_accepted and found.is_new
            event = dg.AssetMaterialization if is_taken else dg.AssetObservation
            context.log_event(
                event(key_of(catalog.sources()[found.source]), metadata=_shown(found, is_taken))
            )
    context.add_output_metadata({"report": dg.MetadataValue.md(page), "accepted": made.is_accepted})
    return made


def _shown(found: Candidate, is_taken: bool) -> dict[str, Any]:
    """What Dagster shows of the comparison of a source with its accepted rows; numbers are plotted."""
    shown: dict[str, Any] = {"comparison": dg.MetadataValue.md("  \n".join(report.lines(found)))}
    if found.is_new:
        shown |= report.counts(found)
    return shown | {"dagster/row_count": found.rows.height} if is_taken else shown


def _tracked(folder: Path, new: Mapping[str, Candidate], *, is_accepted: bool = False) -> dict[str, bytes]:
    """The files of the baseline that an update changes, by name."""
    moved = baseline.drift(folder)
    for found in new.values():
        moved = drift.after(moved, found, is_accepted=is_accepted)
    rows = {
        name: baseline.csv_bytes(found.rows, catalog.tables()[catalog.sources()[name].table].key)
        for name, found in new.items()
    }
    today = datetime.now(UTC).date()
    origins = baseline.origins(folder) | {
        name: report.origin(found, rows[name], today) for name, found in new.items()
    }
    listed = baseline.files(folder) | {name: found.files for name, found in new.items()}
    kept = baseline.listed_quarantine(folder).filter(~pl.col("source").is_in(list(new)))
    turned_away = pl.concat([kept, *(found.quarantined for found in new.values())])
    return {f"{name}.csv": content for name, content in rows.items()} | {
        baseline.MANIFEST: baseline.records_bytes(origins.values(), ("source",)),
        baseline.FILES: baseline.records_bytes(
            (facts for by_file in listed.values() for facts in by_file.values()), ("source", "file")
        ),
        baseline.QUARANTINE: baseline.csv_bytes(turned_away, turned_away.columns),
        baseline.DRIFT: baseline.csv_bytes(moved, moved.columns),
    }


def update_job() -> dg.JobDefinition:
    """The job over every source of the catalog: all of them, live, unless settings or environment differ."""
    upstream = Upstream()
    preset = {"sources": "", "mirror": os.environ.get("OTE_MIRROR", ""), "accept": ""}

    @dg.job(
        name="update",
        description=DESCRIPTION,
        config={"resources": {"upstream": {"config": preset}}},
        resource_defs={"io_manager": dg.mem_io_manager, "upstream": upstream.get_resource_definition()},
        executor_def=dg.in_process_executor,
    )
    def update() -> None:
        found = [check_op(source)(fetch_op(source)()) for source in catalog.sources().values()]
        rewrite_baseline(compare_results(found))

    return update
