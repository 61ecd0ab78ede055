"""What locations of runs and operators of organisations must be beyond their single cells.

Belongs here: rules over the files that say where runs took place. Does not belong here: rules of the training
runs themselves (training_run_rules.py).
"""

from functools import partial
from pathlib import Path

from ote import catalog
from ote.ingestion.facts import File, Problem, Row, read_text, unknown, verdict
from ote.ingestion.training_run_rules import location_checks


def run_location_problems(file: File, directory: Path) -> list[Problem]:
    """Names that are not known, and locations that the run's own source states otherwise."""
    checks = location_checks(directory)
    runs = {row["run_id"]: row for row in read_text(directory, catalog.tables()["raw.training_runs"]).rows}
    return [
        Problem(line, column, row.get("run_id", ""), says)
        for line, row in file
        for column, rule in checks.items()
        if (says := verdict(partial(rule, row)))
        or (says := verdict(partial(_contradiction, row, column, runs)))
    ]


def _contradiction(row: Row, column: str, runs: dict[str, Row]) -> str | None:
    """The run's own source states another location; one of the two is wrong."""
    stated = runs.get(row["run_id"], {}).get(column, "")
    if not (stated and row[column]) or stated == row[column]:
        return None
    return f"{row[column]!r}, but training_runs.csv states {stated!r}. Correct one of them."


def organisation_provider_problems(file: File, directory: Path) -> list[Problem]:
    """Names that are not known, and years that end before they begin."""
    checks = location_checks(directory)
    organisations = {
        row["organisation"] for row in read_text(directory, catalog.tables()["raw.organisations"]).rows
    }
    problems = []
    for line, row in file:
        found = {column: verdict(partial(rule, row)) for column, rule in checks.items()}
        found["to_year"] = verdict(partial(_years_problem, row))
        if row["organisation"] not in organisations:
            found["organisation"] = unknown(row["organisation"], organisations, "organisations.csv")
        problems += [
            Problem(line, column, row["organisation"], says) for column, says in found.items() if says
        ]
    return problems


def site_problems(file: File, directory: Path) -> list[Problem]:
    """Sites that regions.csv does not have."""
    rule = location_checks(directory)["site"]
    return [
        Problem(line, "site", row["site"], says)
        for line, row in file
        if (says := verdict(partial(rule, row)))
    ]


def _years_problem(row: Row) -> str | None:
    if not row["to_year"] or int(row["from_year"]) <= int(row["to_year"]):
        return None
    return f"{row['to_year']} is before from_year {row['from_year']}. Are they swapped?"
