"""What a word means: a column, a value of one, a table, a basis, a source, or a word of our texts.

Belongs here: putting into paragraphs what catalog.yaml and method_bases.csv say. Does not belong here: the
meaning itself, or printing (cli/meaning.py).
"""

import csv
import difflib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ote import catalog
from ote.answers import words
from ote.answers.published import open_database

Basis = dict[str, str]  # a row of method_bases.csv


def explain(name: str, reference: Path) -> list[str]:
    """What a word is, as paragraphs; case, spaces, hyphens and underscores do not count.

    Raises:
        KeyError: nothing here has that name; its argument is the nearest ones, or empty if there are none.
    """
    with (reference / "method_bases.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    known = _names(rows)
    key = _key(name)
    if key not in map(_key, known):
        begun = {word for word in known if len(key) > 2 and _key(word).startswith(key.rstrip("."))}
        if len(begun) != 1:
            near = sorted(begun) or difflib.get_close_matches(name.lower(), known, 3, 0.4)
            raise KeyError(", ".join(near[:8]))
        key = _key(begun.pop())
    return [*_word(key), *_table(key), *_column(key), *_value(key), *_bases(key, rows), *_source(key)]


def asks_for_claims(name: str) -> bool:
    """Whether a word stands for the claims of the 2021 paper."""
    return _key(name) in map(_key, ("claims", *catalog.words()["claims"].also, "paper_claims"))


def claims(database: Path) -> list[tuple[str, str, str]]:
    """Each claim of the 2021 paper, its verdict in words, and why.

    Raises:
        NoDatabaseError: the database is missing, unreadable or of another version.
    """
    with open_database(database, "select evidence from paper_claims limit 0") as connection:
        rows = connection.execute("select claim, verdict, evidence from paper_claims order by claim_id")
        return [(claim, catalog.label("verdict", name), why) for claim, name, why in rows.fetchall()]


@cache
def _key(name: str) -> str:
    """What spellings of a word have in common."""
    return "".join(letter for letter in name.lower() if letter not in " -_")


def _word(key: str) -> Iterator[str]:
    for name, word in catalog.words().items():
        if key in map(_key, (name, *word.also)):
            yield f"{name}: {word.means}"


def _table(key: str) -> Iterator[str]:
    for table in catalog.public_tables():
        if _key(table.stem) == key:
            yield f"{table.stem}: a table. {table.description}"
            yield f"Key: {', '.join(table.key)}. Columns: {', '.join(c.name for c in table.columns)}."


@cache
def _columns() -> dict[str, catalog.Column]:
    return {column.name: column for table in catalog.public_tables() for column in table.columns}


def _column(key: str) -> Iterator[str]:
    column = next((column for name, column in _columns().items() if _key(name) == key), None)
    if column is None:
        return
    unit = f", {column.unit}" if column.unit else ""
    yield f"{column.name}: a column ({column.type}{unit}). {column.description}"
    if column.min is not None or column.max is not None:
        yield f"Range: {column.range}. {column.why}".strip()
    for value, word in column.values.items():
        yield f"- {value}: {word.means}"
    holders = (
        table.stem for table in catalog.public_tables() if column.name in {c.name for c in table.columns}
    )
    yield f"Tables: {', '.join(holders)}."


def _value(key: str) -> Iterator[str]:
    """A value of columns, by its name or by words that are printed for it: one meaning once."""
    found: dict[tuple[str, str], list[str]] = {}
    for column in _columns().values():
        for value, word in column.values.items():
            if key in map(_key, _printed(value, word)):
                found.setdefault((value, word.means), []).append(column.name)
    for (value, means), columns in found.items():
        noun = "column" if len(columns) == 1 else "columns"
        yield f"{value}: a value of the {noun} {', '.join(columns)}. {means}"


def _printed(value: str, word: catalog.Value) -> list[str]:
    """What stands for a value: itself, its label, each part of that, and its words for a run of one's own."""
    spellings = [value, word.label, *word.label.split(", "), words.BASES.get(value, "")]
    return [spelling for spelling in dict.fromkeys(spellings) if spelling]


def _bases(key: str, rows: list[Basis]) -> Iterator[str]:
    """The place of a basis in a fallback order and its uncertainty, or the fallback order of a factor."""
    for basis in rows:
        name, factor = basis["basis"], basis["factor"]
        if _key(name) == key:
            place = (
                f"basis {basis['fallback_rank']} in the fallback order of"
                if basis["fallback_rank"]
                else "uncertainty of"
            )
            yield (
                f"{name}: {place} {factor}. Its gsd is fitted on: {basis['fitted_on']}. Value: "
                f"select * from method where factor = '{factor}' and basis = '{name}'"
            )
        elif _key(factor) == key:
            yield f"Basis {basis['fallback_rank'] or '-'}: {name} ({basis['fitted_on']})"


def _source(key: str) -> Iterator[str]:
    for name, source in catalog.sources().items():
        if _key(name) == key:
            yield f"{name}: a source. {source.title}, {source.producer}. {source.license}. {source.page}"


def _names(rows: list[Basis]) -> list[str]:
    """All that can be asked for."""
    columns = _columns()
    values = {
        name
        for column in columns.values()
        for value, word in column.values.items()
        for name in _printed(value, word)
    }
    defined = {word for name, entry in catalog.words().items() for word in (name, *entry.also)}
    tables = {table.stem for table in catalog.public_tables()}
    bases = {basis[name] for basis in rows for name in ("basis", "factor")}
    return sorted({*tables, *columns, *values, *defined, *catalog.sources(), *bases})
