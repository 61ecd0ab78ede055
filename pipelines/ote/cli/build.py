"""The command `ote build`.

Belongs here: options, what a person sees of a build, exit codes. Does not belong here: any step of the build.
Heavy libraries are imported where they are used, so that a build with nothing to do ends at once.
"""

import gc
import hashlib
import json
import logging
import platform
import textwrap
import time
import uuid
from collections.abc import Callable
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, Any

import typer

from ote import checkout, files
from ote.answers import quantities
from ote.cli import site
from ote.cli.options import Baseline, Warehouse, a_folder
from ote.cli.terminal import fail, said_if_interrupted, said_if_not_writable, signals
from ote.names import one_line
from ote.places import BASELINE, CODE, REFERENCE, ROOT, WAREHOUSE, name_of

SHOWN = 3  # uncommitted files
LIBRARIES = ("duckdb", "polars", "pyarrow", "great-expectations", "dagster")


def build(
    warehouse: Warehouse = WAREHOUSE,
    reference: Annotated[
        Path,
        typer.Option(
            help="Folder with the curated facts. If they differ from the checkout, the build is a draft.",
            envvar="OTE_REFERENCE",
            callback=a_folder,
        ),
    ] = REFERENCE,
    baseline: Baseline = BASELINE,
) -> None:
    """Build and check all tables, write a release, and print a summary. Needs no network.

    A build uses only files of this checkout: the curated facts, and the accepted rows of the upstream
    sources, which `ote update` fetches. If no input has changed since
    the last build, nothing is built again.

    Example: ote build --warehouse /tmp/warehouse
    """
    _require_own_warehouse(warehouse, reference, baseline)
    started = time.perf_counter()
    with said_if_interrupted("ote build"), said_if_not_writable("Nothing was built", "--warehouse"):
        _require_sound(reference, baseline)
        state = _inputs(reference, baseline)
        if release := _published(warehouse, state):
            typer.echo(f"Nothing changed since {release.name} was published; nothing was built.")
        else:
            release = _build(warehouse, reference, baseline, state)
        site.write(release, warehouse)
    _summary(warehouse, release, baseline)
    typer.echo(f"Pages:    {_near(warehouse / 'site')}; look at them with: {site.opens(warehouse)}")
    typer.echo(f"Checks:   {_near(warehouse / 'report.html')}\n{time.perf_counter() - started:.1f} s")


def _require_own_warehouse(warehouse: Path, reference: Path, baseline: Path) -> None:
    """Refuse to replace the database of the checkout with one of other facts."""
    if warehouse.resolve() != WAREHOUSE.resolve():
        return
    for option, folder, usual in (("--reference", reference, REFERENCE), ("--baseline", baseline, BASELINE)):
        if folder.resolve() != usual.resolve():
            fail(
                f"{option} {folder}: a build of other facts would replace the database in {WAREHOUSE}. "
                "Give it a folder of its own with --warehouse, such as --warehouse /tmp/trial."
            )


def _require_sound(reference: Path, baseline: Path) -> None:
    """Report every problem of the curated facts and the accepted rows, before anything is built."""
    from ote.ingestion import baseline as accepted
    from ote.ingestion import curated

    accepted.finish(baseline)
    problems = curated.problems(reference) + accepted.problems(baseline)
    if problems:
        count = quantities.counted(len(problems), "file")
        fail("\n".join(problems) + f"\nNothing was built: {count} to correct first.")
    for source in accepted.edited(baseline):
        typer.echo(f"{source}: its rows were edited since `ote update` wrote them.", err=True)


def _inputs(reference: Path, baseline: Path) -> str:
    """A checksum of all that a build depends on: facts, accepted rows, catalog, queries, code and libraries.

    And of what is not committed, since that decides between a release and a draft.
    """
    code = [path for path in CODE.rglob("*") if path.suffix in (".py", ".html", ".csv")]
    pages = {*CODE.glob("site/**/*"), *ROOT.glob("sql/site/*")}  # the tables do not depend on them
    released = [*(ROOT / checkout.RELEASED).glob("*")]
    files = sorted({*ROOT.glob("sql/**/*.sql"), *code, *released, ROOT / "catalog.yaml"} - pages)
    uncommitted = checkout.state(reference=reference, baseline=baseline).uncommitted
    digest = hashlib.sha256(f"{platform.python_version()} {uncommitted}".encode())
    for library in LIBRARIES:
        digest.update(f"{library} {installed_version(library)}\n".encode())
    named = [(name_of(path), path) for path in files]
    for folder in (reference, baseline):
        named += [(path.name, path) for path in sorted(folder.glob("*.csv"))]
    for name, path in named:
        digest.update(f"{name}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _published(warehouse: Path, inputs: str) -> Path | None:
    """The release of exactly these inputs, if it and its database are published and whole."""
    from ote.releases import release

    try:
        record = json.loads((warehouse / "published.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return None
    if record["inputs"] != inputs:
        return None
    folder = warehouse / str(record["release"])
    try:
        if not release.is_published(folder, warehouse / "emissions.duckdb"):
            return None
        if folder.parent.name == "releases":
            release.point(folder.parent)  # it may have been downloaded, without index and link
    except release.BrokenReleaseError as error:
        fail(f"A published release is damaged: {error}", 1)
    return folder


def _build(warehouse: Path, reference: Path, baseline: Path, inputs: str) -> Path:
    """Run the job `build`; exit with 1 and a message if anything fails."""
    from ote import catalog, kept_catalog

    folders = {"directory": warehouse, "reference": reference, "baseline": baseline}
    settings = {name: str(folder.resolve()) for name, folder in folders.items()}
    typer.echo(f"Building in {_near(warehouse)} ...")
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    result = executed("build", warehouse, _failed, {"warehouse": settings})
    metadata = result.asset_materializations_for_node("release__emissions_duckdb")[0].metadata
    release = Path(str(metadata["release"].value))
    record = {"release": str(release.relative_to(warehouse.resolve())), "inputs": inputs}
    files.write(warehouse / "published.json", json.dumps(record))
    kept_catalog.write(catalog.judged(), ROOT / "catalog.yaml", warehouse / kept_catalog.NAME)
    return release


def _failed(result: Any) -> str:
    """What a build that failed has left."""
    if result.asset_materializations_for_node("release__emissions_duckdb"):
        return "The tables were built, checked and published; the pages were not written."
    return "The build failed; what was published before is untouched."


def executed(
    job: str, warehouse: Path, failed: Callable[[Any], str], settings: dict[str, Any] | None = None
) -> Any:
    """The result of a job of Dagster, run in this process; exit with a message if it fails.

    Args:
        job: its name.
        warehouse: the history of runs is kept below it.
        failed: what to say first of a result that is a failure.
        settings: of its resources, by name, where they are not those of the definitions.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
        KeyboardInterrupt: SIGINT or SIGTERM came, with its number.
    """
    # Great Expectations makes millions of objects in a process that ends in seconds: a tenth of the time.
    gc.disable()
    from sqlalchemy.exc import OperationalError

    from ote.warehouse import writable

    kept = writable(writable(warehouse) / "dagster")
    config = {name: {"config": given} for name, given in (settings or {}).items()}
    try:
        with signals() as received:
            result = _run(job, kept, config, received)
            if not result.success and (number := received()):
                raise KeyboardInterrupt(number)
    except OperationalError as error:  # of the history, which says no more than "disk I/O error"
        raise OSError(f"{kept}: {error.orig}") from None
    if not result.success:
        typer.echo(failed(result), err=True)
        _explain(result, warehouse)
        raise typer.Exit(1)
    return result


def _run(job: str, kept: Path, resources: dict[str, Any], received: Callable[[], int]) -> Any:
    """Run a job with its history in a folder, and show the steps that have ended, until a signal came."""
    from ote import history
    from ote.cli import summary
    from ote.definitions import defs

    resolved, run_id = defs.resolve_job_def(job), str(uuid.uuid4())
    steps = len(resolved.graph.node_dict)
    with history.instance(kept) as instance, summary.progress(steps) as step:
        instance.add_event_listener(run_id, lambda entry: _stated(entry, step, received))
        return resolved.execute_in_process(
            instance=instance,
            run_id=run_id,
            raise_on_error=False,
            run_config={
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                "resources": resources,
            },
        )


def _stated(entry: Any, step: Callable[[str], None], received: Callable[[], int]) -> None:
    """Say that a step of a job has ended. End the job if a signal came.

    A signal in a query is an error of that query, as any other, and Dagster would go on with other steps.
    """
    event = entry.dagster_event
    if event and event.event_type_value in ("STEP_SUCCESS", "STEP_FAILURE", "STEP_SKIPPED"):
        step(event.step_key.replace("__", "."))
        if number := received():
            raise KeyboardInterrupt(number)


def _explain(result: Any, warehouse: Path) -> None:
    """What failed, in the words of the step that failed, without a traceback."""
    for event in result.all_events:
        if event.is_step_failure and not event.step_key.startswith("check_"):
            typer.echo(f"- {event.step_key}: {_cause(event.step_failure_data.error)}", err=True)
        elif event.is_job_failure and not event.job_failure_data.first_step_failure_event:
            typer.echo(f"- {_cause(event.job_failure_data.error)}", err=True)
    failed = [e for e in result.get_asset_check_evaluations() if e.blocking and not e.passed]
    for evaluation in failed:
        typer.echo(f"- {'.'.join(evaluation.asset_key.path)} fails {evaluation.check_name}", err=True)
        if stated := evaluation.metadata.get("what failed"):
            typer.echo(textwrap.indent(str(stated.value).replace("\n\n", "\n"), "    "), err=True)
    if failed:
        typer.echo(f"Rows and reasons: {_near(warehouse / 'report.html')}", err=True)


def _cause(error: Any) -> str:
    """The message of the first error in a chain, without its type."""
    while error.cause:
        error = error.cause
    message: str = error.message.split(": ", 1)[-1].strip()
    return message


def _summary(warehouse: Path, release: Path, baseline: Path) -> None:
    """What matters about the release, and where it lies."""
    from ote.cli import summary
    from ote.ingestion import baseline as accepted

    summary.show(warehouse / "emissions.duckdb", release)
    manifest = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    for edit in accepted.edits(baseline):
        typer.echo(f"Edited:   {edit}")
    typer.echo(f"Database: {_near(warehouse / 'emissions.duckdb')}")
    if uncommitted := [one_line(name) for name in manifest["uncommitted"]]:
        listed = ", ".join(uncommitted[:SHOWN]) + (", ..." if len(uncommitted) > SHOWN else "")
        files = quantities.counted(len(uncommitted), "file")
        typer.echo(f"Draft:    {_near(release)}; for a release commit {files}: {listed}")
    elif why := manifest.get("draft"):
        typer.echo(f"Draft:    {_near(release)}; {why}.")
    else:
        typer.echo(f"Release:  {_near(release)}")


def _near(path: Path) -> Path:
    """The path from here, where it lies below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
