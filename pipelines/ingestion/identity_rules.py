"""What identifiers of runs and organisations of developers must be beyond their single cells.

Belongs here: rules over one file that say whether two names mean one thing. Does not belong here: rules of
the training runs themselves (training_run_rules.py).
"""

import re
from pathlib import Path

from pipelines.ingestion.facts import File, Problem
from pipelines.ingestion.training_run_rules import countries_problem, country_names

FORMS = {
    "arxiv": (r"\d{4}\.\d{4,5}|[a-z-]+(\.[A-Z]{2})?/\d{7}", "a number like 2104.10350"),
    "huggingface": (r"[\w.-]+/[\w.-]+", "a repository like bigscience/bloom"),
}


def identifier_problems(file: File, directory: Path) -> list[Problem]:
    """Identifiers of another form than their scheme's, and repositories that are the model of two runs."""
    problems = []
    first: dict[str, tuple[int, str]] = {}
    for line, row in file:
        form, example = FORMS[row["identifier_scheme"]]
        name, run_id = row["identifier"].lower(), row["run_id"]
        is_repository = row["identifier_scheme"] == "huggingface"
        if not re.fullmatch(form, row["identifier"]):
            says = f"{row['identifier']!r} is not {example}."
            problems.append(Problem(line, "identifier", run_id, says))
        if is_repository != bool(row["identifier_match"]):
            says = "same or variant is expected for a repository, and nothing for a paper."
            problems.append(Problem(line, "identifier_match", run_id, says))
        if is_repository and row["identifier_match"] == "same":
            earlier, other = first.setdefault(name, (line, run_id))
            if earlier != line:
                says = f"the model of {other} as well (line {earlier}). Mark one as a variant, or remove it."
                problems.append(Problem(line, "identifier", run_id, says))
    return problems


def organisation_problems(file: File, directory: Path) -> list[Problem]:
    """Countries that are none, and organisations that belong to another organisation themselves."""
    countries = country_names(directory)
    belongs = {row["developer_name"]: row["organisation"] for row in file.rows}
    problems = []
    for line, row in file:
        organisation = row["organisation"]
        last = belongs.get(organisation, organisation)
        if last != organisation:
            says = f"{organisation!r} belongs to {last!r} itself. Write {last!r}."
            problems.append(Problem(line, "organisation", row["developer_name"], says))
        if no_country := countries_problem(row["developer_country"], countries):
            problems.append(Problem(line, "developer_country", row["developer_name"], no_country))
    return problems
