"""What identifiers and relations of runs, and organisations of developers, must be beyond their single cells.

Belongs here: rules over one file that say whether two names mean one thing. Does not belong here: rules of
the training runs themselves (training_run_rules.py).
"""

import re
from pathlib import Path

from pipelines import catalog
from pipelines.ingestion.facts import File, Problem, read_text, unknown
from pipelines.ingestion.training_run_rules import countries_problem, country_names

FORMS = {
    "arxiv": (r"\d{4}\.\d{4,5}|[a-z-]+(\.[A-Z]{2})?/\d{7}", "a number like 2104.10350"),
    "huggingface": (r"[\w.-]+/[\w.-]+", "a repository like bigscience/bloom"),
}

# Curated files with facts of a run. None of them may use the id of a merged run again.
FACTS = ("training_runs", "third_party_runs", "published_footprints", "mfu")


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


def relation_problems(file: File, directory: Path) -> list[Problem]:
    """Relations to unknown or merged runs, of a run with itself, or both ways; and merged ids used again."""
    used = {name: _run_ids(directory, name) for name in FACTS}
    known = used["training_runs"] | _run_ids(directory, "model_names")
    merged = {row["run_id"] for row in file.rows if row["relation"] == "merged"}
    pairs = {(row["run_id"], row["other_run_id"]) for row in file.rows}
    problems = []
    for line, row in file:
        run_id, other = row["run_id"], row["other_run_id"]
        checks = {
            "run_id": _used_again(run_id, used) if row["relation"] == "merged" else _merged(run_id, merged),
            "other_run_id": _merged(other, merged),
        }
        if run_id == other or (other, run_id) in pairs:
            checks["other_run_id"] = (
                f"{other!r} and {run_id!r} are one run, or listed both ways. Keep one row of two runs."
            )
        for column in ("run_id", "other_run_id"):
            is_old = column == "run_id" and row["relation"] == "merged"
            if not is_old and row[column] not in known:
                checks[column] = unknown(row[column], known, "training_runs.csv")
        problems += [Problem(line, column, run_id, says) for column, says in checks.items() if says]
    return problems


def _run_ids(directory: Path, name: str) -> set[str]:
    return {row["run_id"] for row in read_text(directory, catalog.tables()[f"raw.{name}"]).rows}


def _used_again(run_id: str, used: dict[str, set[str]]) -> str | None:
    files = [f"{name}.csv" for name, run_ids in used.items() if run_id in run_ids]
    return (
        f"{run_id!r} is merged, but used in {', '.join(files)}. Use the other run there." if files else None
    )


def _merged(run_id: str, merged: set[str]) -> str | None:
    return f"{run_id!r} is merged into another run. Name that run." if run_id in merged else None
