"""The commands of the build: `ote build`, `ote accept`, `ote register`.

Belongs here: options, what a person sees of a build, exit codes. Does not belong here: any step of the build.
Heavy libraries are imported where they are used, so that a build with nothing to do ends at once.
"""

import gc
import hashlib
import json
import logging
import os
import platform
import textwrap
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from pipelines import checkout
from pipelines.catalog import ROOT
from pipelines.cli.options import REFERENCE, WAREHOUSE, Reference, Warehouse

LIBRARIES = ("duckdb", "polars", "pyarrow", "great-expectations", "dagster")


def build(
    warehouse: Warehouse = WAREHOUSE,
    reference: Annotated[
        Path,
        typer.Option(
            help="Folder of the curated facts; others than those of the checkout make a draft.",
            envvar="OTE_REFERENCE",
        ),
    ] = REFERENCE,
    mirror: Annotated[
        str,
        typer.Option(
            help="Address of a copy of the sources, laid out by the file names in catalog.yaml; "
            "a file may carry an extra .gz.",
            envvar="OTE_MIRROR",
        ),
    ] = "",
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask nobody; use the accepted snapshots.", envvar="OTE_OFFLINE")
    ] = False,
    locked: Annotated[
        Path | None,
        typer.Option(
            help="manifest.json of a release: use only the snapshots that it names, ask nobody.",
            envvar="OTE_LOCKED",
        ),
    ] = None,
    inputs: Annotated[
        Path | None,
        typer.Option(
            help="inputs.zip of a release: build it again from that; only what it may not hold is fetched. "
            "At its commit all files are the same bytes but the DuckDB file (the same rows) and what "
            "compares with an earlier release: CHANGES.md, changes.parquet."
        ),
    ] = None,
) -> None:
    """Fetch the sources, build and check every table, write a release, publish it, and print a summary.

    A source that cannot be had, or whose change must first be accepted, is kept as it last was. A build
    with the same inputs as the published one does nothing but print it.

    Example: ote build --warehouse /tmp/warehouse --mirror http://127.0.0.1:8000
    """
    started = time.perf_counter()
    if inputs and locked:
        _fail("--locked and --inputs exclude each other: inputs.zip has a manifest of its own.")
    with _said_if_not_writable("Nothing was built", "--warehouse"):
        if inputs:
            locked = _unpacked(warehouse, inputs, mirror, offline)
            mirror, offline = "", False
        settled = _settle(warehouse, mirror, offline, locked)
        if locked:
            os.environ["OTE_LOCKED"] = str(locked.resolve())
        state = _inputs(reference, settled)
        if release := _published(warehouse, state):
            typer.echo(f"Nothing changed since {release.name} was published; nothing was built.")
        else:
            release = _build(warehouse, reference, settled, state)
    _summary(warehouse, release)
    typer.echo(f"Checks:   {_near(warehouse / 'report.html')}\n{time.perf_counter() - started:.1f} s")


def accept(
    source: Annotated[str, typer.Argument(help="The source whose change was refused.")],
    reason: Annotated[str, typer.Option(help="Why it is right; kept beside the snapshot.")],
    warehouse: Warehouse = WAREHOUSE,
) -> None:
    """Accept what an upstream sent and a build refused; the next build uses it.

    Example: ote accept epoch_models --reason "power recomputed upstream; we do not use it"
    """
    from pipelines import catalog
    from pipelines.ingestion import ingest
    from pipelines.warehouse import LockedError, lock

    if source not in catalog.sources():
        _fail(f"{source!r} is no source. Sources: {', '.join(catalog.sources())}.")
    try:
        with _said_if_not_writable(f"{source} was not accepted", "--warehouse"), lock(warehouse):
            ingest.accept(warehouse / "snapshots", catalog.sources()[source], reason)
    except (ingest.NotAcceptedError, LockedError) as error:
        _fail(str(error))
    typer.echo(f"{source}: accepted. Build to use it: ote build")


def register(
    warehouse: Annotated[
        Path, typer.Option(help="Folder that was built in.", envvar="OTE_WAREHOUSE")
    ] = WAREHOUSE,
    reference: Reference = REFERENCE,
) -> None:
    """Write the names of models that are new upstream into the register of ids, to be reviewed and committed.

    Says what it changes. An older list than the register was made from only adds names.

    Example: ote register && git diff warehouse/reference/model_names.csv
    """
    from pipelines.ingestion import register
    from pipelines.ingestion.facts import BadReferenceError
    from pipelines.warehouse import LockedError, lock

    try:
        with _said_if_not_writable("Nothing was registered", "--warehouse or --reference"), lock(warehouse):
            update = register.update(warehouse, reference)
    except (register.NoNamesError, BadReferenceError, LockedError) as error:
        _fail(str(error))
    for name, run_id, change in update.changes.rows():
        typer.echo(f"{change:<8} {run_id}: {name}")
    counts = Counter(update.changes["change"])
    file = _near(reference / "model_names.csv")
    typer.echo(f"{counts['new'] + counts['renamed']:,} names added to {file}")
    if update.newest:
        typer.echo(
            "Upstream's list of this build is older than the register, which has models up to "
            f"{update.newest}: names in the register stay as they are, and names added count as former."
        )
    else:
        typer.echo(
            f"{counts['former']:,} names are former now, since upstream has them no longer; "
            f"{counts['current']:,} are current again; {counts['restated']:,} have another day or address"
        )


def _fail(message: str, code: int = 1) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)


@contextmanager
def _said_if_not_writable(outcome: str, options: str) -> Iterator[None]:
    """End with one line, not a traceback, where a file cannot be written."""
    try:
        yield
    except BrokenPipeError:  # of whoever reads what is printed
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(
            f"{outcome}: {where}{error.strerror or error}. Expected a folder that can be written: give that "
            f"right, make room, or name another with {options}."
        )


def _unpacked(warehouse: Path, inputs: Path, mirror: str, offline: bool) -> Path:
    """The manifest of a packed release, its bytes now in the store, also those that the pack leaves out."""
    from pipelines.ingestion import snapshots
    from pipelines.warehouse import LockedError, lock

    try:
        with lock(warehouse):
            manifest = snapshots.unpack(inputs, warehouse / "snapshots")
            was, here = json.loads(manifest.read_text(encoding="utf-8")).get("commit"), checkout.state()
            if was and (was != here.commit or here.uncommitted):
                typer.echo(
                    f"{inputs}: built from commit {was}, which this checkout is not at: bytes may differ."
                )
            origin = snapshots.Origin(mirror=mirror, offline=offline)
            snapshots.complete(warehouse / "snapshots", snapshots.manifest(manifest), origin)
    except (snapshots.SnapshotMissingError, LockedError) as error:
        _fail(str(error))
    return manifest


def _settle(warehouse: Path, mirror: str, offline: bool, locked: Path | None) -> dict[str, Any]:
    """Ask for every source and say what became of it; the `Settled` of each source by name."""
    from pipelines import catalog
    from pipelines.ingestion import ingest, progress, snapshots
    from pipelines.warehouse import LockedError, lock

    if mirror and not mirror.startswith(("http://", "https://")):
        _fail(f"--mirror {mirror!r}: expected an address that begins with http:// or https://.")
    if sum(map(bool, (mirror, offline, locked))) > 1:
        _fail("--mirror, --offline and --locked exclude each other: choose one.")
    store = warehouse / "snapshots"
    elsewhere = "" if warehouse == WAREHOUSE else str(warehouse)
    settled = {}
    try:
        manifest = snapshots.manifest(locked) if locked else {}
        origin = snapshots.Origin(mirror=mirror, offline=offline)
        with lock(warehouse):
            for name, source in catalog.sources().items():
                if locked:
                    settled[name] = ingest.locked(source, manifest)
                else:
                    settled[name] = ingest.settle(store, source, origin, progress.on_terminal())
                progress.clear()
                typer.echo("\n".join(ingest.lines(settled[name], elsewhere)))
            store.mkdir(parents=True, exist_ok=True)
            path = store / "settled.json"
            told = json.dumps({name: asdict(s) for name, s in settled.items()})
            if not path.exists() or path.read_text(encoding="utf-8") != told:
                path.write_text(told, encoding="utf-8")
    except (snapshots.SnapshotMissingError, LockedError) as error:
        _fail(str(error))
    os.environ["OTE_SETTLED"] = str(path.resolve())
    return settled


def _inputs(reference: Path, settled: dict[str, Any]) -> str:
    """A checksum of all that a build depends on: snapshots, facts, catalog, queries, code and libraries.

    And of what is not committed, since that decides between a release and a draft.
    """
    code = [path for path in ROOT.glob("pipelines/**/*") if path.suffix in (".py", ".html", ".csv")]
    files = sorted([*ROOT.glob("sql/**/*.sql"), *code, ROOT / "catalog.yaml"])
    uncommitted = checkout.state(reference=reference).uncommitted
    digest = hashlib.sha256(f"{platform.python_version()} {uncommitted}".encode())
    taken = {name: {f: snapshot.sha256 for f, snapshot in s.files.items()} for name, s in settled.items()}
    digest.update(json.dumps(taken, sort_keys=True).encode())
    for library in LIBRARIES:
        digest.update(f"{library} {installed_version(library)}\n".encode())
    for root, paths in ((ROOT, files), (reference, sorted(reference.glob("*.csv")))):
        for path in paths:
            digest.update(f"{path.relative_to(root)}\n".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _published(warehouse: Path, inputs: str) -> Path | None:
    """The release of exactly these inputs, if it and its database are published and whole."""
    from pipelines.releases import release

    try:
        record = json.loads((warehouse / "published.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    if record["inputs"] != inputs:
        return None
    folder = warehouse / str(record["release"])
    try:
        if not release.is_published(folder, warehouse / "emissions.duckdb"):
            return None
        if folder.parent.name == "releases":
            release.point(
                folder.parent
            )  # the release may have been got from elsewhere, without index and link
    except release.BrokenReleaseError as error:
        typer.echo(f"A published release is damaged: {error}", err=True)
        raise typer.Exit(1) from None
    return folder


def _build(warehouse: Path, reference: Path, settled: dict[str, Any], inputs: str) -> Path:
    """Write the hours that are outdated, run the job `build`; exit with 1 and a message if anything fails."""
    os.environ["OTE_WAREHOUSE"] = str(warehouse.resolve())
    os.environ["OTE_REFERENCE"] = str(reference.resolve())
    typer.echo(f"Building in {_near(warehouse)} ...")
    # Great Expectations makes millions of objects in a process that ends in seconds: a tenth of the time.
    gc.disable()
    import dagster as dg

    from pipelines.ingestion.hourly_assets import every_partition, hourly_assets, outdated
    from pipelines.warehouse import writable

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    history = writable(warehouse / "dagster")
    instance = dg.DagsterInstance.local_temp(
        str(history),
        overrides={
            "telemetry": {"enabled": False},
            "storage": {"sqlite": {"base_dir": str(history)}},
        },
    )
    with instance:
        for hours in hourly_assets:
            source = hours.key.path[-1]
            if outdated(hours, warehouse, settled[f"{source}_hourly"]):
                _execute(f"hourly_{source}", instance, warehouse, every_partition(hours))
        result = _execute("build", instance, warehouse)
    metadata = result.asset_materializations_for_node("release__emissions_duckdb")[0].metadata
    release = Path(str(metadata["release"].value))
    _record(warehouse, {"release": str(release.relative_to(warehouse.resolve())), "inputs": inputs})
    return release


def _execute(job: str, instance: Any, warehouse: Path, tags: dict[str, str] | None = None) -> Any:
    """Run a job of Dagster in this process; exit with 1 and a message if it fails."""
    from pipelines.definitions import defs

    result = defs.resolve_job_def(job).execute_in_process(
        instance=instance,
        tags=tags,
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    if not result.success:
        _explain(result, warehouse)
        raise typer.Exit(1)
    return result


def _record(warehouse: Path, record: dict[str, str]) -> None:
    partial = warehouse / "published.json.partial"
    partial.write_text(json.dumps(record), encoding="utf-8")
    partial.replace(warehouse / "published.json")


def _explain(result: Any, warehouse: Path) -> None:
    """What failed, in the words of the step that failed, without a traceback."""
    typer.echo("The build failed; what was published before is untouched.", err=True)
    for event in result.all_events:
        if event.is_step_failure and not event.step_key.startswith("check_"):
            typer.echo(f"- {event.step_key}: {_cause(event.step_failure_data.error)}", err=True)
        elif event.is_job_failure and not event.job_failure_data.first_step_failure_event:
            typer.echo(f"- {_cause(event.job_failure_data.error)}", err=True)
    # A warning, such as that of an absent source, fails no build.
    failed = [e for e in result.get_asset_check_evaluations() if e.blocking and not e.passed]
    for evaluation in failed:
        typer.echo(f"- {'.'.join(evaluation.asset_key.path)} fails {evaluation.check_name}", err=True)
        if told := evaluation.metadata.get("what failed"):
            typer.echo(textwrap.indent(str(told.value).replace("\n\n", "\n"), "    "), err=True)
    if failed:
        typer.echo(f"Rows and reasons: {_near(warehouse / 'report.html')}", err=True)


def _cause(error: Any) -> str:
    """The message of the first error in a chain, without its type."""
    while error.cause:
        error = error.cause
    message: str = error.message.split(": ", 1)[-1].strip()
    return message


def _summary(warehouse: Path, release: Path) -> None:
    """Tables with rows, checks, and the ten largest runs, from the published database."""
    import duckdb

    manifest = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    tables = ", ".join(f"{name} {rows:,}" for name, rows in manifest["tables"].items())
    checks = manifest["checks"]
    typer.echo(f"\n{manifest['title']} {manifest['version']}")
    typer.echo(textwrap.fill(f"Rows: {tables}", 100, subsequent_indent="  "))
    if absent := [source["title"] for source in manifest["sources"] if source["status"] == "absent"]:
        typer.echo(textwrap.fill(f"Absent sources: {', '.join(absent)}", 100, subsequent_indent="  "))
    if strangers := _unregistered(warehouse):
        typer.echo(f"New names: {strangers:,} models are not in the register of ids yet; run: ote register")
    if terms := _better_terms(warehouse):
        typer.echo(f"Method: {', '.join(terms)}: clearly better and not used; see the table model_terms")
    quarantined = sum(source["quarantined_rows"] for source in manifest["sources"])
    typer.echo(f"Quarantined: {quarantined:,} rows of the sources failed a gate; see the table quarantine")
    typer.echo(f"Checks: {checks['passed']:,} of {checks['total']:,} passed")
    typer.echo("\nThe ten largest runs, with 90 % intervals")
    line = "{:<18.18} {:>10} {:<19} {:>10} {:<18} {:>10}"
    typer.echo(line.format("model", "MWh", "", "gross t", "", "net t").rstrip())
    with duckdb.connect(str(warehouse / "emissions.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select model, energy_mwh, energy_mwh_p05, energy_mwh_p95, co2e_gross_t, co2e_gross_t_p05, "
            "co2e_gross_t_p95, co2e_net_t from emissions where covers = 'one_run' "
            "order by energy_mwh desc, run_id limit 10"
        ).fetchall()
    for model, *values in rows:
        mwh, mwh05, mwh95, gross, gross05, gross95, net = map(_short, values)
        typer.echo(line.format(model, mwh, f"({mwh05} to {mwh95})", gross, f"({gross05} to {gross95})", net))
    typer.echo(f"\nDatabase: {_near(warehouse / 'emissions.duckdb')}")
    if manifest["uncommitted"]:
        typer.echo(f"Draft:    {_near(release)}; for a release commit {', '.join(manifest['uncommitted'])}")
    else:
        typer.echo(f"Release:  {_near(release)}")


def _unregistered(warehouse: Path) -> int:
    """How many models got an id in this build that no later build is sure to give them again."""
    import duckdb

    with duckdb.connect(str(warehouse / "emissions.duckdb"), read_only=True) as connection:
        query = "select count(*) from model_aliases where identity_rule <> 'registered'"
        ((count,),) = connection.execute(query).fetchall()
    return int(count)


def _better_terms(warehouse: Path) -> list[str]:
    """The terms that would lower the errors of a factor and that its estimator does not have."""
    import duckdb

    with duckdb.connect(str(warehouse / "emissions.duckdb"), read_only=True) as connection:
        query = (
            "select distinct term || ' of ' || factor from model_terms "
            "where is_clearly_better and not is_used order by all"
        )
        return [term for (term,) in connection.execute(query).fetchall()]


def _near(path: Path) -> Path:
    """The path from here, where it lies below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _short(value: float | None) -> str:
    """Three significant digits with thousands."""
    return "unknown" if value is None else f"{float(f'{value:.3g}'):,.0f}"
