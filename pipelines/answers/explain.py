"""What a name of the dataset means: a column, a table, a rung of a ladder or a source.

Belongs here: putting into paragraphs what catalog.yaml and method_rungs.csv say. Does not belong here: the
meaning itself, or printing (cli/contribute.py).
"""

import csv
import difflib
from collections.abc import Iterator
from pathlib import Path

from pipelines import catalog

Rung = dict[str, str]  # a row of method_rungs.csv


def explain(name: str, reference: Path) -> list[str]:
    """What a column, a table, a rung or a source of the dataset is, as paragraphs.

    Raises:
        KeyError: nothing here has that name; its argument is the nearest ones.
    """
    with (reference / "method_rungs.csv").open(encoding="utf-8", newline="") as file:
        rungs = list(csv.DictReader(file))
    found = [*_table(name), *_column(name), *_rungs(name, rungs), *_source(name)]
    if not found:
        raise KeyError(", ".join(difflib.get_close_matches(name, _names(rungs), 3, 0.4)) or "none")
    return found


def _table(name: str) -> Iterator[str]:
    for table in catalog.public_tables():
        if table.stem == name:
            yield f"{name}: a table. {table.description}"
            yield f"Key: {', '.join(table.key)}. Columns: {', '.join(c.name for c in table.columns)}."


def _column(name: str) -> Iterator[str]:
    holders = {t.stem: column for t in catalog.public_tables() for column in t.columns if column.name == name}
    if not holders:
        return
    column = next(iter(holders.values()))
    unit = f", {column.unit}" if column.unit else ""
    yield f"{name}: a column ({column.type}{unit}). {column.description}"
    if column.min is not None or column.max is not None:
        yield f"Range: {column.range}. {column.why}".strip()
    if column.values:
        yield f"Values: {', '.join(column.values)}."
    yield f"In: {', '.join(holders)}."


def _rungs(name: str, rungs: list[Rung]) -> Iterator[str]:
    """A rung by its own name, or all of a factor."""
    for rung in rungs:
        if rung["basis"] == name:
            place = f"rung {rung['rung']} of" if rung["rung"] else "part of the spread of"
            yield (
                f"{name}: {place} {rung['factor']}. Spread fitted on: {rung['fitted_on']}. Value: "
                f"select * from method where factor = '{rung['factor']}' and basis = '{name}'"
            )
        elif rung["factor"] == name:
            yield f"Rung {rung['rung'] or '-'}: {rung['basis']} ({rung['fitted_on']})"


def _source(name: str) -> Iterator[str]:
    if source := catalog.sources().get(name):
        yield f"{name}: a source. {source.title}, {source.producer}. {source.license}. {source.page}"


def _names(rungs: list[Rung]) -> list[str]:
    """All that can be asked for."""
    tables = catalog.public_tables()
    columns = {column.name for table in tables for column in table.columns}
    bases = (rung["basis"] for rung in rungs)
    return sorted({table.stem for table in tables} | columns | {*catalog.sources(), *bases})
