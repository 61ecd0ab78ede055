"""What identifiers and relations of runs, and organisations of developers, must be beyond their single cells.

Belongs here: rules over one file that say whether two names mean one thing. Does not belong here: rules of
the training runs themselves (training_run_rules.py).
"""

import re
from functools import partial
from pathlib import Path

from ote import catalog
from ote.ingestion.facts import File, Problem, Row, read_text, unknown, verdict
from ote.ingestion.training_run_rules import Names, countries_problem, country_names

FORMS = {
    "arxiv": (r"\d{4}\.\d{4,5}|[a-z-]+(\.[A-Z]{2})?/\d{7}", "a number like 2104.10350"),
    "huggingface": (r"[\w.-]+/[\w.-]+", "a repository like bigscience/bloom"),
}

# Curated files with facts of a run. None of them may use the id of a merged run again.
FACTS = (
    "training_runs",
    "run_locations",
    "third_party_runs",
    "run_statements",
    "published_footprints",
    "mfu",
)


def identifier_problems(file: File, directory: Path) -> list[Problem]:
    """Identifiers of another form than their scheme's, and repositories that are the model of two runs."""
    first: dict[str, tuple[int, str]] = {}
    return [
        Problem(line, column, row.get("run_id", ""), says)
        for line, row in file
        for column, rule in (
            ("identifier", partial(_form_problem, row)),
            ("identifier_match", partial(_match_problem, row)),
            ("identifier", partial(_twin_problem, row, line, first)),
        )
        if (says := verdict(rule))
    ]


def _form_problem(row: Row) -> str | None:
    form, example = FORMS[row["identifier_scheme"]]
    return None if re.fullmatch(form, row["identifier"]) else f"{row['identifier']!r} is not {example}."


def _match_problem(row: Row) -> str | None:
    if (row["identifier_scheme"] == "huggingface") == bool(row["identifier_match"]):
        return None
    return "same or variant is expected for a repository, and nothing for a paper."


def _twin_problem(row: Row, line: int, first: dict[str, tuple[int, str]]) -> str | None:
    """An earlier run whose model the repository is, of those that are seen; this one is then one of them."""
    if row["identifier_scheme"] != "huggingface" or row["identifier_match"] != "same":
        return None
    earlier, other = first.setdefault(row["identifier"].lower(), (line, row["run_id"]))
    if earlier == line:
        return None
    return f"the model of {other} as well (line {earlier}). Mark one as a variant, or remove it."


def organisation_problems(file: File, directory: Path) -> list[Problem]:
    """Countries that are none, and organisations that belong to another organisation themselves."""
    countries = country_names(directory)
    belongs = {
        row["developer_name"]: row["organisation"]
        for row in file.rows
        if {"developer_name", "organisation"} <= row.keys()
    }
    return [
        Problem(line, column, row.get("developer_name", ""), says)
        for line, row in file
        for column, rule in (
            ("organisation", partial(_part_problem, row, belongs)),
            ("developer_country", partial(_countries_problem, row, countries)),
        )
        if (says := verdict(rule))
    ]


def _part_problem(row: Row, belongs: dict[str, str]) -> str | None:
    organisation = row["organisation"]
    last = belongs.get(organisation, organisation)
    return None if last == organisation else f"{organisation!r} belongs to {last!r} itself. Write {last!r}."


def _countries_problem(row: Row, countries: Names) -> str | None:
    return countries_problem(row["developer_country"], countries)


def relation_problems(file: File, directory: Path) -> list[Problem]:
    """Relations to unknown or merged runs, of a run with itself, or both ways; and merged ids used again."""
    used = {name: _run_ids(directory, name) for name in FACTS}
    known = used["training_runs"] | _run_ids(directory, "model_names")
    whole = [(line, row) for line, row in file if {"run_id", "other_run_id", "relation"} <= row.keys()]
    merged = {row["run_id"] for _, row in whole if row["relation"] == "merged"}
    pairs = {(row["run_id"], row["other_run_id"]) for _, row in whole}
    problems = []
    for line, row in whole:
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
    rows = read_text(directory, catalog.tables()[f"raw.{name}"]).rows
    return {row["run_id"] for row in rows if "run_id" in row}


def _used_again(run_id: str, used: dict[str, set[str]]) -> str | None:
    files = [f"{name}.csv" for name, run_ids in used.items() if run_id in run_ids]
    return (
        f"{run_id!r} is merged, but used in {', '.join(files)}. Use the other run there." if files else None
    )


def _merged(run_id: str, merged: set[str]) -> str | None:
    return f"{run_id!r} is merged into another run. Write the id of that run." if run_id in merged else None
