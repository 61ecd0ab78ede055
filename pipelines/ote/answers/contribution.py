"""A published run as a row of warehouse/reference/training_runs.csv.

Belongs here: checking one new row as the build does, and writing it. Does not belong here: the rules
themselves (facts.py, training_run_rules.py), or printing (cli/contribute.py).
"""

import csv
import io
import math
import re
import unicodedata
from pathlib import Path

from ote import catalog, files, hardware_units
from ote.ingestion.facts import File, Problem, Row, cell_problems, duplicates, judged, read_text
from ote.ingestion.spelling import spelling_key
from ote.ingestion.training_run_rules import (
    country_names,
    location_key,
    provider_names,
    training_run_problems,
)

TABLE = "raw.training_runs"


def columns() -> list[catalog.Column]:
    """The columns of a run, in the order of the file."""
    return list(catalog.tables()[TABLE].columns)


def row_of(given: dict[str, str]) -> Row:
    """A whole row of the file: what is not given is empty; run_id follows from the model unless given."""
    row = {column.name: given.get(column.name, "") for column in columns()}
    plain = unicodedata.normalize("NFKD", row["model"]).encode("ascii", "ignore").decode().lower()
    row["run_id"] = row["run_id"] or re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    row["covers"] = row["covers"] or "one_run"
    return row


def as_written(row: Row, reference: Path) -> Row:
    """The row with its operator and countries as the facts have them, and accelerators counted in chips.

    Raises:
        BadReferenceError: the names cannot be read.
    """
    providers, countries = provider_names(reference), country_names(reference)

    def country(name: str) -> str:
        return countries.get(location_key(name), ("", name))[1]

    return (
        row
        | _in_chips(row)
        | {
            "provider": providers.get(spelling_key(row["provider"]), ("", row["provider"]))[1],
            "site_country": country(row["site_country"]),
            "developer_country": ";".join(map(country, row["developer_country"].split(";"))),
        }
    )


def _in_chips(row: Row) -> Row:
    """What changes in a row whose accelerators are parts of chips or slices: hardware, chips, chip-hours."""
    counting = hardware_units.named(row["hardware"])
    if not counting:
        return {}
    changed = {"hardware": counting.model}
    for column in ("chips", "chip_hours"):
        number = _number(row[column])
        if number is not None and math.isfinite(number):
            changed[column] = f"{number * counting.chips_each:.12g}"
    if counting.chips_each >= 1 and not row["chips"] and not row["chip_hours"]:
        changed["chips"] = f"{counting.chips_each:g}"  # one slice
    return changed


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None  # said of the cell itself


def problems(row: Row, reference: Path) -> list[Problem]:
    """What the build would refuse the row for, were it in the file.

    Raises:
        BadReferenceError: the file that it belongs to cannot be read.
    """
    table = catalog.tables()[TABLE]
    file = read_text(reference, table)
    line = _line(row, file)
    alone = File(file.path, [row], [line])
    cells = list(cell_problems(alone, table))
    together = File(file.path, [*file.rows, row], [*file.lines, line])
    others = judged(File(file.path, file.rows, file.lines), cell_problems(file, table))
    sound = File(file.path, [*others.rows, *judged(alone, cells).rows], together.lines)
    found = cells + [p for p in duplicates(together, table) if p.line == line]
    return found + [
        p for p in training_run_problems(sound, reference) if p.row == sound.rows[-1].get("run_id", "")
    ]


def file_of(reference: Path) -> Path:
    """The file that rows go to."""
    return reference / f"{TABLE.removeprefix('raw.')}.csv"


def add(row: Row, reference: Path) -> Path:
    """Write the row into the file, in the order of run_id; every other byte stays as it is."""
    file = read_text(reference, catalog.tables()[TABLE])
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(row.values())
    lines = re.findall(r"[^\n]*\n|[^\n]+$", file.path.read_bytes().decode("utf-8"))
    at = _line(row, file) - 1
    with files.replacing(file.path) as partial:
        partial.write_bytes("".join([*lines[:at], buffer.getvalue(), *lines[at:]]).encode("utf-8"))
    return file.path


def run_to_estimate(row: Row) -> dict[str, str]:
    """The row as `ote estimate` takes it; a rating is no power measurement."""
    run = {
        name: row[name]
        for name in ("model", "hardware", "chips", "training_hours", "chip_hours", "training_flop", "pue")
    }
    run |= {name: row[name] for name in ("provider", "cloud_region", "site_country")}
    run["watts_per_chip"] = row["watts_per_chip"] if row["power_basis"] == "measured_system" else ""
    run["started"] = row["started_month"] or row["published_date"]
    if row["gross_kg_per_kwh"]:
        run["carbon_intensity_g_per_kwh"] = str(float(row["gross_kg_per_kwh"]) * 1000)  # kg to g
    return {name: cell for name, cell in run.items() if cell}


def _line(row: Row, file: File) -> int:
    """The line of the file that the row would begin on."""
    for line, other in file:
        if other["run_id"] > row["run_id"]:
            return line
    return file.path.read_text(encoding="utf-8").count("\n") + 1
