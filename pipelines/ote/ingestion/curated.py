"""The curated facts as a whole: which files there are, their rows, and every problem in them.

Belongs here: what holds over several files. Does not belong here: one cell or row (facts.py), what the rows
of one file mean together (training_run_rules.py), or any asset (reference.py).
"""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from ote import catalog
from ote.answers import quantities
from ote.ingestion.facts import (
    BadReferenceError,
    File,
    Problem,
    cell_problems,
    duplicates,
    judged,
    read_text,
    unknown_references,
)
from ote.ingestion.identity_rules import identifier_problems, organisation_problems, relation_problems
from ote.ingestion.location_rules import (
    organisation_provider_problems,
    run_location_problems,
    site_problems,
)
from ote.ingestion.row_checks import typed
from ote.ingestion.training_run_rules import training_run_problems

SHOWN = 20
MADE = {
    "raw.forecasts", "raw.publishers", "raw.quarantine", "raw.reference_files", "raw.source_files",
    "raw.upstreams",
}  # fmt: skip
RULES: dict[str, Callable[[File, Path], list[Problem]]] = {
    "raw.onsite_generation": site_problems,
    "raw.organisation_providers": organisation_provider_problems,
    "raw.organisations": organisation_problems,
    "raw.run_identifiers": identifier_problems,
    "raw.run_locations": run_location_problems,
    "raw.run_relations": relation_problems,
    "raw.training_runs": training_run_problems,
}


def file_tables() -> list[catalog.Table]:
    """The raw tables that are curated files: those with a file of their name."""
    made = MADE | {source.table for source in catalog.sources().values()}
    return [table for name, table in catalog.tables().items() if table.layer == "raw" and name not in made]


def read(directory: Path, table: catalog.Table) -> pl.DataFrame:
    """A curated file as a frame in the catalog's types; an empty cell is null.

    Raises:
        BadReferenceError: names every row that cannot be taken.
    """
    file = read_text(directory, table)
    cells = [*cell_problems(file, table)]
    sound = judged(file, cells)
    problems = [*cells, *duplicates(sound, table)]
    try:
        problems += unknown_references(sound, table, directory)
        if rule := RULES.get(table.name):
            problems += rule(sound, directory)
    except BadReferenceError:  # of another file, which is named where it is read itself
        if not problems:
            raise
    if problems:
        shown = "\n  ".join(str(problem) for problem in sorted(problems, key=lambda p: p.line)[:SHOWN])
        more = f"\n  and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        count = quantities.counted(len(problems), "problem")
        raise BadReferenceError(f"{file.path}: {count}\n  {shown}{more}")
    text = pl.DataFrame(file.rows, schema=dict.fromkeys((c.name for c in table.columns), pl.String))
    return typed(text.with_columns(pl.when(pl.all() != "").then(pl.all())), table)


def problems(directory: Path) -> list[str]:
    """What is wrong with the curated files, a text for each file that cannot be taken."""
    found: dict[str, None] = {}  # a file that several others refer to is named once
    for table in file_tables():
        try:
            read(directory, table)
        except BadReferenceError as error:
            found[str(error)] = None
    return list(found)
