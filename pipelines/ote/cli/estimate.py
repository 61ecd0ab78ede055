"""The commands for a run of one's own: `ote estimate`, `ote report`.

Belongs here: options, what a person sees, exit codes. Does not belong here: how a run is estimated
(estimate.py), what a disclosure says (disclosure.py), or logs of other tools (importing.py).
"""

import json
import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer
from rich.console import Console
from rich.table import Table

from ote import hardware_units
from ote.answers import addresses, delimited, locations, quantities, tables, texts, words
from ote.answers import batch as batches
from ote.answers import disclosure as disclosing
from ote.answers import estimate as estimating
from ote.answers.delimited import LEFT_OUT
from ote.answers.disclosure import GIVEN, value_of
from ote.answers.estimate import BadRunsError, Narrowing
from ote.answers.published import DATABASE, NoDatabaseError, width_of
from ote.cli import terminal
from ote.cli.options import AsJson, Database

MANY = 100_000  # rows, from which on a speed is worth a word
MONTHLY = ("region_month", "country_month", "disclosed")  # bases of an intensity that no month would change
REJECTS = ".rejects.csv"  # how the name of a file of rows ends that were left out
SHOWN = 10  # rows that are left out are named up to this number; a file names all


def columns_of_a_run() -> list[tuple[str, str, str]]:
    """Each column that a run may state, its option, and what it is."""
    return [
        (name, option, f"{says[0].upper()}{says[1:]}.") for name, (option, says) in estimating.COLUMNS.items()
    ]


class Engine(StrEnum):
    """What runs the queries of a batch."""

    duckdb = "duckdb"
    spark = "spark"


def estimate(
    context: typer.Context,
    batch: Annotated[
        str,
        typer.Option(
            help="Estimate many runs, one per row: a file (.csv, .parquet, .json, .jsonl), a folder or "
            "pattern of Parquet files, or an address (s3://...).",
            metavar="FILE",
        ),
    ] = "",
    out: Annotated[
        str,
        typer.Option(
            help="Where to write estimates of a batch: a file (.csv, .parquet, .json), folder or address.",
            metavar="FILE",
        ),
    ] = "",
    full: Annotated[
        bool, typer.Option("--full", help="With --batch: also write the year and source of each factor.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="With --batch: write nothing if one row cannot be estimated.")
    ] = False,
    hourly_intensity: Annotated[
        str,
        typer.Option(
            help="Your hourly series for a batch: columns zone, hour_utc, carbon_intensity_g_per_kwh.",
            metavar="FILE",
        ),
    ] = "",
    engine: Annotated[
        Engine, typer.Option(help="What estimates a batch: this machine, or Spark.", metavar="<engine>")
    ] = Engine.duckdb,
    master: Annotated[
        str, typer.Option(help="Master of Spark, such as spark://host:7077.", metavar="URL")
    ] = "local[*]",
    as_json: AsJson = False,
    database: Database = DATABASE,
) -> None:
    """Estimate energy and CO2e of your own run. Give what you know; the dataset supplies the rest.

    Example: ote estimate --hardware H100 --chips 512 --hours 300 --region us-central1 --start 2024-03

    Without --start, the run is assumed to start today.

    A batch file has these columns, all optional: {columns}. Rows that cannot be estimated are written to a
    file next to --out whose name ends in .rejects.csv, with line, column and reason. In the estimates, the
    column `row` has the number of the row in the batch.
    """
    run: dict[str, str] = context.obj
    if bool(batch) != bool(out) or (batch and run):
        terminal.fail("--batch FILE: give --out FILE as well, and no option that describes a single run.")
    if hourly_intensity and (not batch or engine is Engine.spark):
        terminal.fail("--hourly-intensity: only for --batch on this machine; for one run give --intensity.")
    if batch and out:
        if engine is Engine.spark:
            _estimate_on_spark(batch, out, master, database, strict=strict, full=full)
        else:
            _estimate_batch(batch, out, database, strict=strict, full=full, hourly=hourly_intensity)
        return
    _estimate_one(run, database, as_json=as_json)


def _estimate_one(run: dict[str, str], database: Path, *, as_json: bool) -> None:
    if not run:
        terminal.fail(
            "Nothing to estimate. Example: ote estimate --hardware H100 --chips 512 --hours 300 --country DE"
        )
    for column, cell in run.items():
        if not cell.strip():
            terminal.fail(f"{estimating.COLUMNS[column][0]}: empty; leave it out, or give a value.")
    try:
        answer = estimating.estimate_run(run, database)
        narrowest = estimating.narrowing(answer, estimating.best_gsds(database))
    except (BadRunsError, NoDatabaseError) as error:
        terminal.fail(str(error))
    if as_json:
        extra = {"narrow_most": None if narrowest is None else vars(narrowest)}
        typer.echo(json.dumps(answer | extra, indent=1))
        return
    _print(answer, narrowest)
    if (
        len(run.get("started", "")) > len("2024")
        and answer["factors"]["gross_kg_per_kwh"]["basis"] not in MONTHLY
    ):
        say("Of --start only the year counts: no intensity of that month is known for this location.")


def _estimate_batch(
    source: str, out: str, database: Path, *, strict: bool, full: bool, hourly: str = ""
) -> None:
    begin = time.monotonic()
    rejects = addresses.sibling(out, REJECTS)
    try:
        done = batches.estimate_batch(
            source,
            out,
            database,
            strict=strict,
            full=full,
            rejects=rejects,
            hourly=hourly,
            watch=_progress,
        )
    except BadRunsError as error:
        terminal.fail(f"{error}" if addresses.is_remote(source) else _or_import(Path(source), f"{error}"))
    except NoDatabaseError as error:
        terminal.fail(str(error))
    except OSError as error:
        is_remote = addresses.is_remote(out)
        terminal.fail(
            f"{out}: cannot be written: {error}" if is_remote else texts.unwritten(Path(out), error)
        )
    _hand_on_rejects(source, rejects)
    _print_done(done, out, rejects, begin)


def _estimate_on_spark(
    source: str, out: str, master: str, database: Path, *, strict: bool, full: bool
) -> None:
    from ote import spark

    begin = time.monotonic()
    try:
        done = spark.estimate_batch(source, out, master, database, strict=strict, full=full)
    except (BadRunsError, NoDatabaseError, spark.SparkError) as error:
        terminal.fail(str(error))
    _print_done(done, out, addresses.sibling(out, ".rejects"), begin)


def _print_done(done: batches.Batch, out: str, rejects: str, begin: float) -> None:
    """What became of a batch: problems and notes on stderr, the number of estimates on stdout."""
    name_rejects(done.first_problems, f" (all in {rejects})", done.problems)
    for note in done.notes:
        typer.echo(note, err=True)
    speed = ""
    if done.estimated >= MANY:
        speed = f" ({done.estimated / (time.monotonic() - begin):,.0f} runs per second)"
    typer.echo(f"{quantities.counted(done.estimated, 'run')} estimated: {out}{speed}")


def _hand_on_rejects(source: str, rejects: str) -> None:
    """Add the rows that an import left out of the runs to those that the estimates leave out."""
    if addresses.is_remote(source) or addresses.is_remote(rejects):
        return
    of_import = addresses.sibling(source, REJECTS)
    if Path(of_import).resolve() == Path(rejects).resolve():  # those of the estimates are in it now
        return
    earlier = delimited.read_rejects(of_import)
    if earlier:
        of_log = [
            replace(each, place=replace(each.place, file=each.place.file or "the log")) for each in earlier
        ]
        own = [
            replace(each, place=replace(each.place, file=Path(source).name))
            for each in delimited.read_rejects(rejects)
        ]
        delimited.write_rejects([*of_log, *own], Path(rejects), with_files=True)
        typer.echo(f"{_left_out_before(Path(source), earlier)}, and named in {rejects} too.", err=True)


@contextmanager
def _progress(connection: duckdb.DuckDBPyConnection, done: str, rows: int) -> Iterator[None]:
    """Show on a terminal how many rows of many are done, and how many in a second."""
    if rows < MANY or not sys.stderr.isatty():
        yield
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rate]}"))
    ended = threading.Event()
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task(f"{rows:,} rows {done}", total=100, rate="")

        def count() -> None:
            begin = time.monotonic()
            while not ended.wait(0.2):
                percent = max(connection.query_progress(), 0)
                rate = rows * percent / 100 / (time.monotonic() - begin)
                progress.update(task, completed=percent, rate=f"{rate:,.0f} rows per second")

        thread = threading.Thread(target=count, daemon=True)
        thread.start()
        try:
            yield
            progress.update(task, completed=100)
        finally:
            ended.set()
            thread.join()


def _or_import(file: Path, otherwise: str, data: bytes | None = None) -> str:
    """What to do with the log of another tool; of a file that is none, what else is wrong."""
    from ote.answers import imports  # its patterns take a tenth of a second

    try:
        tool = imports.tool_of(texts.content(file) if data is None else data)
    except texts.UnreadableError:
        return otherwise
    if not tool:
        return otherwise
    name = "LOG" if is_pipe(file) else shlex.quote(str(file))
    return (
        f"{file}: a log of {tool}, not a file of runs or estimates. Convert it first: "
        f"ote import {name} --out runs.csv, or in one line: ote import {name} | ote report --as latex"
    )


def _print(run: dict[str, Any], narrowest: Narrowing | None) -> None:
    intensity = f"location-based, {disclosing.kind_of_intensity(run)}"
    typer.echo(f"{run['model'] or 'This run'}, {run['run_year']}")
    is_other_year = run["lifecycle_factor_year"] != run["run_year"]
    lifecycle = words.basis_of({"basis": run["lifecycle_basis"], "is_other_year": is_other_year})
    if run["gross_basis"] == "disclosed":  # which may be direct or life-cycle
        lifecycle += ", not the given intensity"
    totals = table("", "value", "90 % interval", "")
    for title, column, amount, span, note in (
        ("Energy", "energy_mwh", quantities.energy, quantities.energy_span, "with PUE"),
        ("Gross CO2e", "co2e_gross_t", quantities.mass, quantities.mass_span, intensity),
        ("Life-cycle CO2e", "co2e_lifecycle_t", quantities.mass, quantities.mass_span, lifecycle),
        ("Net CO2e", "co2e_net_t", quantities.mass, quantities.mass_span, words.basis(run["net_basis"])),
        (
            "Market-based CO2e",
            "co2e_market_t",
            quantities.mass,
            quantities.mass_span,
            words.basis(run["market_basis"]),
        ),
    ):
        if run[column] is None:
            totals.add_row(title, "unknown", "", disclosing.UNKNOWN[column])
            continue
        ends = span(run[f"{column}_p05"], run[f"{column}_p95"])
        totals.add_row(title, amount(run[column]), ends, note)
    factors = table("factor", "value", "x/÷", "how it is known")
    for name, about in run["factors"].items():
        if about["value"] is None:
            continue
        value = f"{value_of(about)} {words.unit(name)}".strip()
        spread = "" if about["gsd"] is None else f"{width_of(name, about['value'], about['gsd']):.2f}"
        factors.add_row(words.factor(name), value, spread, words.basis_of(about))
    show(totals)
    say("To compare runs, use life-cycle CO2e (column co2e_lifecycle_t), as all lists of the dataset do.")
    typer.echo("")
    show(factors)
    say("x/÷: uncertainty (90 %). 1.2 means: the true value is between value / 1.2 and value x 1.2.")
    typer.echo("")
    _print_notes(run, narrowest)


def _print_notes(run: dict[str, Any], narrowest: Narrowing | None) -> None:
    """What was counted and assumed, and where the factors come from."""
    for note in hardware_units.notes_on(run):
        say(note)
    if run.get("metering"):
        say(f"Metering: {run['metering']}.")
    known = run["factors"].items()
    assumed = [words.factor(f) for f, about in known if about["basis"] and about["basis"] not in GIVEN]
    if run["is_assumed_provider"]:
        assumed.append(f"provider {run['provider']}, since TPUs run in its data centers only")
    say(f"Assumed: {'; '.join(assumed) or 'nothing'}.")
    say(disclosing.overhead(run))
    others = [f"{words.factor(f)} {about['factor_year']}" for f, about in known if about["is_other_year"]]
    if others:
        say(f"No data for {run['run_year']}, so the nearest known year is used: {'; '.join(others)}.")
    if run.get("within_country"):
        say(run["within_country"])
    if hint := _region_hint(run):
        say(hint)
    if narrowest:
        ends = quantities.mass_span(narrowest.co2e_gross_t_p05, narrowest.co2e_gross_t_p95)
        say(f"To narrow the interval most, give {narrowest.fact}.")
        say(f"If what you give confirms the value used here, the interval of gross CO2e narrows to {ends}.")
    for name, about in known:
        if about["value"] is not None and about["gsd"] is not None and (source := origin(about)):
            say(f"{words.factor(name)} ({name}): {source}")
    say(f"Dataset: Open Training Emissions {run['dataset_version']}")
    say("For a paper or a model card: ote estimate with the same options and --json | ote report --as latex")


def _region_hint(run: dict[str, Any]) -> str:
    """The only region that the operator of a run has in its state, if no region was given."""
    if not run["provider"] or not run.get("site_state") or run["cloud_region"]:
        return ""
    state = locations.state_name(run["site_state"])
    region = locations.region_at(state, run["provider"])
    says = f"{run['provider']} has one cloud region in {state}: --region {region} uses its PUE and its grid."
    return says if region else ""


def table(*names: str) -> Table:
    """An empty table without lines; numbers stand at the right."""
    table = Table(box=None, pad_edge=False, show_header=any(names))
    for name in names:
        right = name in ("value", "x/÷")
        table.add_column(name, justify="right" if right else "left", overflow="fold", no_wrap=name == "x/÷")
    return table


def show(made: Table) -> None:
    """Print a table as wide as the terminal; what is longer goes on in the next line of its cell."""
    Console(highlight=False, markup=False, emoji=False).print(made)


def say(sentence: str, err: bool = False, indent: str = "") -> None:
    """Print a sentence as wide as the terminal, if that is known; addresses stay whole."""
    typer.echo(terminal.wrapped(sentence, err, indent), err=err)


def origin(about: dict[str, Any]) -> str:
    """Where a factor comes from, in a line: the locator and the address."""
    if about["basis"] in GIVEN:
        return "as given"
    locator = (about["source_locator"] or "").removeprefix("system_power: ")  # the table that it is from
    return "; ".join(part for part in (locator, about["source_url"]) if part)


class Form(StrEnum):
    """What a disclosure can be written as."""

    markdown = "markdown"
    latex = "latex"
    model_card = "model-card"
    cyclonedx = "cyclonedx"
    spdx = "spdx"
    eu = "eu"
    bibtex = "bibtex"


WRITTEN: dict[Form, Callable[[disclosing.Run], str]] = {
    Form.markdown: disclosing.markdown,
    Form.model_card: disclosing.model_card,
    Form.latex: disclosing.latex,
    Form.cyclonedx: disclosing.cyclonedx,
    Form.spdx: disclosing.spdx,
    Form.eu: disclosing.eu,
    Form.bibtex: disclosing.bibtex,
}


def report(
    run: Annotated[
        Path,
        typer.Argument(
            help="File with estimates or runs from ote estimate or ote import; - reads standard input."
        ),
    ] = Path("-"),
    form: Annotated[
        Form,
        typer.Option(
            "--as",
            help="Format: markdown, latex or bibtex for a paper; model-card; cyclonedx or spdx (SBOM); eu.",
            metavar="<form>",
        ),
    ] = Form.markdown,
    training_type: Annotated[
        str, typer.Option(help="Kind of training: pre-training or fine-tuning. Default: not stated.")
    ] = "",
    database: Database = DATABASE,
) -> None:
    """Write a report on one or several runs, for a paper, a model card, an SBOM or the EU AI Act.

    Example: ote import emissions.csv | ote report --as latex, or: ote estimate --hardware H100 --chips 512
    --hours 300 --json | ote report --as model-card, or: ote report estimates.csv
    """
    if training_type and training_type not in disclosing.TRAINING_TYPES:
        terminal.fail(f"--training-type {training_type}: expected {' or '.join(disclosing.TRAINING_TYPES)}.")
    content = _content(run)
    try:
        total = {
            **disclosing.summed(*_estimates(run, content, database)),
            "training_type": training_type or None,
        }
    except (disclosing.NotAnEstimateError, tables.NoTableError) as error:
        terminal.fail(_or_import(run, f"{run}: {disclosing.EXPECTED}; {error}", content))
    except BadRunsError as error:
        terminal.fail(_or_import(run, f"{run}: {error}", content))
    except NoDatabaseError as error:
        terminal.fail(str(error))
    typer.echo(WRITTEN[form](total), nl=False)
    if form is Form.model_card and not training_type:
        typer.echo("training_type is not stated; give --training-type pre-training or fine-tuning.", err=True)


def _estimates(
    file: Path, content: bytes, database: Path
) -> tuple[Sequence[disclosing.Run], Sequence[delimited.Reject]]:
    """The estimates that a file or the pipe holds, and the rows that are left out; runs are estimated."""
    table = tables.read(content, "" if is_pipe(file) else file.suffix.lower())
    rows = [row for _, row in table.rows]
    estimates: Sequence[disclosing.Run]
    if any("energy_mwh" not in row and set(row) & set(estimating.COLUMNS) for row in rows):
        places = [place for place, _ in table.rows]
        estimates, rejected = estimating.estimate_rows(rows, database, places=places)
        rejected = [*table.rejects, *rejected]
    else:
        estimates = [
            disclosing.checked(row if "factors" in row else _nested(disclosing.typed(row))) for row in rows
        ]
        rejected = table.rejects
    name = texts.PIPE if is_pipe(file) else file
    lines = [
        f"{name}, {reject}" for reject in rejected if reject.column != LEFT_OUT
    ]  # the import named those
    if not estimates:
        raise BadRunsError("\n".join(["no run in it can be estimated", *lines[:SHOWN]]))
    for says in delimited.lines_without_rows(table.asides):
        say(f"{name}: {says}", err=True)
    earlier = [] if is_pipe(file) else delimited.read_rejects(addresses.sibling(str(file), REJECTS))
    name_rejects(lines)
    if earlier:
        typer.echo(f"{_left_out_before(file, earlier)} and named in the report.", err=True)
    return estimates, [*earlier, *rejected]


def _left_out_before(file: Path, earlier: Sequence[delimited.Reject]) -> str:
    rows = len({reject.place for reject in earlier})
    are = "is" if rows == 1 else "are"
    return f"{quantities.counted(rows, 'row')} that {file.stem}{REJECTS} holds {are} left out"


def _nested(row: dict[str, Any]) -> dict[str, Any]:
    """A row of a file of estimates; one that lacks a column stays as it is, and is refused for that."""
    try:
        return estimating.nested(row)
    except KeyError:
        return row


def _content(file: Path) -> bytes:
    """What a file or the pipe holds."""
    if is_pipe(file):
        return piped("report", "ote import emissions.csv | ote report --as latex")
    try:
        return texts.content(file)
    except texts.UnreadableError as error:
        terminal.fail(f"{file}: {error}")


def is_pipe(file: Path) -> bool:
    """Whether a file that was named is the pipe."""
    return str(file) == "-"


def piped(verb: str, example: str) -> bytes:
    """What the command before the pipe wrote."""
    if sys.stdin.isatty():
        terminal.fail(f"Nothing to {verb}. Example: {example}")
    content = sys.stdin.buffer.read()
    if not content.strip():
        terminal.fail(f"Nothing to {verb}: the command before the pipe wrote nothing. Its message says why.")
    return content


def name_rejects(lines: Sequence[str], where: str = "", problems: int | None = None) -> None:
    """Name the first problems; there may be more of them than lines."""
    if lines:
        count = len(lines) if problems is None else problems
        what = "the row with it is" if count == 1 else "the rows with them are"
        say(f"{quantities.counted(count, 'problem')}; {what} left out{where}:", err=True)
        for line in [*lines[:SHOWN], *[f"and {count - SHOWN:,} more"] * (count > SHOWN)]:
            say(line, err=True, indent="  ")
