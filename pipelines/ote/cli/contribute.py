"""The command for who adds to the dataset: `ote add`.

Belongs here: options, questions, what a person sees, exit codes. Does not belong here: what a row must be
(facts.py, training_run_rules.py), or how it is written (contribution.py).
"""

import difflib
import sys
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from ote import hardware_units
from ote.answers import contribution, estimate, quantities, texts
from ote.answers.estimate import BadRunsError
from ote.answers.published import DATABASE, NoDatabaseError
from ote.cli import terminal
from ote.cli.options import Database, Reference, refuse_own
from ote.ingestion.facts import BadReferenceError, Row
from ote.places import REFERENCE

ABOUT = 130  # letters of an option's help that still read as one sentence
ASKED = (
    "model developer developer_country published_date hardware chips training_hours chip_hours training_flop "
    "cloud_region site_country pue source_title source_url source_locator verified"
)


def _option(column: str) -> str:
    return f"--{column.replace('_', '-')}"


def add(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the row and print the estimate, but write nothing.")
    ] = False,
    reference: Reference = REFERENCE,
    database: Database = DATABASE,
) -> None:
    """Add a published run to the curated facts.

    Give an option for each known value. Without options, the command asks for the values.

    Example: ote add --model "My-7B" --developer Me --published-date 2024-05-01 --hardware H100
    --chips 512 --training-hours 300 --site-country FR --source-title "My report"
    --source-url https://example.org/report --source-locator "Table 2" --verified primary
    """
    _refuse_unknown(context.args)
    row = _checked(context.obj or _asked(), reference)
    _say_estimate(row, database)
    if dry_run:
        typer.echo("Nothing was written (--dry-run).")
        return
    refuse_own("--reference", reference, "ote add")
    try:
        file = contribution.add(row, reference)
    except OSError as error:
        terminal.fail(texts.unwritten(contribution.file_of(reference), error), 1)
    typer.echo(f"Added to {file}. Next: make dataset, make test, and a pull request with this row.")


@cache
def columns_of_a_run() -> list[tuple[str, str, str]]:
    """Each column of the file, its option, and what it is."""
    listed = []
    for column in contribution.columns():
        needed = " Needed." if column.required and column.name != "run_id" else ""
        meaning = column.summary.removesuffix(".")
        values = ", ".join(column.values)
        shown = f": {values}" if values and len(meaning) + len(values) < ABOUT else ""
        listed.append((column.name, _option(column.name), f"{meaning}{shown}.{needed}"))
    return listed


def _checked(given: dict[str, str], reference: Path) -> Row:
    """The row as it would be written; ends with every problem where it cannot be."""
    stated = contribution.row_of(given)
    if twice := estimate.counted_twice(stated):
        lines = [f"{_option(column)}: {says}" for column, says in twice.items()]
        terminal.fail("\n".join([*lines, "Nothing was written."]))
    try:
        row = contribution.as_written(stated, reference)
        problems = contribution.problems(row, reference)
    except BadReferenceError as error:
        terminal.fail(str(error))
    if problems:
        lines = [f"{_option(problem.column)}: {problem.says}" for problem in problems]
        terminal.fail("\n".join([*lines, "Nothing was written."]))
    for column in row:
        if row[column] != stated[column]:
            typer.echo(
                " ".join(filter(None, (_option(column), stated[column]))) + f": taken as {row[column]}"
            )
    if counting := hardware_units.named(stated["hardware"]):
        typer.echo(f"Counted: {counting.says}.")
    return row


def _say_estimate(row: Row, database: Path) -> None:
    try:
        run = estimate.estimate_run(contribution.run_to_estimate(row), database)
    except (BadRunsError, NoDatabaseError) as error:
        typer.echo(f"{row['run_id']}: no estimate here. {error}")
        return
    gross = (run[f"co2e_gross_t{end}"] for end in ("", "_p05", "_p95"))
    typer.echo(
        f"{row['run_id']}: about {quantities.energy(run['energy_mwh'])} "
        f"and {quantities.mass_interval(*gross)} gross CO2e"
    )


def _refuse_unknown(words: list[str]) -> None:
    """End where there is an option that is not known; names the nearest, or that of ote estimate."""
    if not words:
        return
    option = words[0].partition("=")[0]
    same = {of_estimate: _option(column) for column, (of_estimate, _) in estimate.COLUMNS.items()}
    known = [_option(column.name) for column in contribution.columns()]
    if option in same and same[option] in known:
        terminal.fail(f"{option}: no such option. Did you mean {same[option]}?")
    near = difflib.get_close_matches(option, known, 1)
    hint = f"Did you mean {near[0]}?" if near else "ote add --help lists the options."
    terminal.fail(f"{option}: no such option. {hint}")


def _asked() -> dict[str, str]:
    """The answers of a person to one question a column; an empty one is unknown."""
    if not sys.stdin.isatty():
        terminal.fail("Nothing to add. Example: ote add --help")
    typer.echo("What the source states; leave empty what it does not.")
    about = {column.name: column for column in contribution.columns()}
    return {name: typer.prompt(f"{name} ({about[name].description})", default="") for name in ASKED.split()}
