"""Whether a release folder is what was written: its bytes, its tables, its dictionary, and the physics.

Belongs here: checks that need nothing but the folder, so that anyone can run them on a download.
Does not belong here: checks before a release is written (sql/checks/, expectations.py).
"""

import csv
import json
from pathlib import Path

import duckdb

from pipelines.releases import release, release_files

AS_TEXT = "all_varchar = true, delim = ',', quote = '\"', escape = '\"'"
NUMBERS = ("double", "bigint")

# Each query lists rows that cannot be: {emissions} is the file.
PHYSICS = {
    "energy is chip-hours x watts x PUE": """
        select run_id from {emissions} where energy_basis = 'computed'
        and abs(chip_hours * watts_per_chip * pue / 1e6 / energy_mwh - 1) > 1e-9
    """,
    "CO2e is energy x intensity": """
        select run_id from {emissions}
        where abs(energy_mwh * gross_kg_per_kwh - co2e_gross_t) > 1e-9 * co2e_gross_t
        or abs(energy_mwh * net_kg_per_kwh - co2e_net_t) > 1e-9 * co2e_net_t
    """,
    "net never exceeds gross": "select run_id from {emissions} where co2e_net_t > co2e_gross_t * (1 + 1e-9)",
    "each interval holds its value": """
        select run_id from {emissions} where energy_mwh not between energy_mwh_p05 and energy_mwh_p95
        or co2e_gross_t not between co2e_gross_t_p05 and co2e_gross_t_p95
        or co2e_net_t not between co2e_net_t_p05 and co2e_net_t_p95
    """,
}

Dictionary = dict[str, list[dict[str, str]]]  # the rows of each table


def findings(directory: Path) -> list[str]:
    """What is wrong with a release, one sentence each; empty if nothing is."""
    if not (directory / "SHA256SUMS").exists():
        return [f"{directory}: no SHA256SUMS; expected the folder of a release."]
    try:
        release.verify(directory)
        rows = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))["tables"]
        told = _dictionary(directory / "data_dictionary.csv")
        with duckdb.connect(str(directory / release_files.DATABASE), read_only=True) as connection:
            return [
                *_strangers(directory, connection, told, rows),
                *_tables(directory, connection, told, rows),
            ]
    except release.BrokenReleaseError as error:
        return [str(error)]
    except FileNotFoundError as error:
        return [f"{error.filename} is missing"]
    except (KeyError, ValueError) as error:
        return [f"{directory}: manifest.json or data_dictionary.csv is not as a release has it ({error!r})"]
    except duckdb.Error as error:
        return [f"{release_files.DATABASE} cannot be read: {_first_line(error)}"]


def _dictionary(path: Path) -> Dictionary:
    """The columns of each table by data_dictionary.csv.

    Raises:
        KeyError: it lacks a column.
    """
    told: Dictionary = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            told.setdefault(row["table"], []).append({name: row[name] for name in release_files.DICTIONARY})
    return told


def _strangers(
    directory: Path, connection: duckdb.DuckDBPyConnection, told: Dictionary, rows: dict[str, int]
) -> list[str]:
    """Tables that are not in every one of: the dictionary, the manifest, the folders, the database."""
    names = connection.execute("select table_name from duckdb_tables() where not internal").fetchall()
    places = {
        "manifest.json": set(rows),
        "data_dictionary.csv": set(told),
        "parquet/": {file.stem for file in (directory / "parquet").glob("*.parquet")},
        "csv/": {file.stem for file in (directory / "csv").glob("*.csv")},
        release_files.DATABASE: {name for (name,) in names},
    }
    every = set().union(*places.values())
    return [
        f"{table} is not in {place}, but in {', '.join(other for other in places if table in places[other])}"
        for place, tables in places.items()
        for table in sorted(every - tables)
    ]


def _tables(
    directory: Path, connection: duckdb.DuckDBPyConnection, told: Dictionary, rows: dict[str, int]
) -> list[str]:
    """Columns, types and rows of every table in each form, the values of the Parquet, and the formula."""
    wrong = []
    for table in sorted(rows.keys() & told.keys()):
        parquet = f"read_parquet({release_files.quoted(directory / 'parquet' / f'{table}.parquet')})"
        text = release_files.quoted(directory / "csv" / f"{table}.csv")
        forms = {
            f"parquet/{table}.parquet": parquet,
            f"csv/{table}.csv": f"read_csv({text}, header = true, {AS_TEXT})",
            release_files.DATABASE: f'main."{table}"',
        }
        for name, relation in forms.items():
            try:
                shape = _shape(connection, relation, table, told[table])
                ((count,),) = connection.execute(f"select count(*) from {relation}").fetchall()
                if count != rows[table]:
                    shape.append(f"{count} rows of {table}; manifest.json says {rows[table]}")
                if not shape and relation == parquet:
                    shape += _values(connection, relation, told[table])
                    shape += _physics(connection, relation) if table == "emissions" else []
                wrong += [f"{name}: {says}" for says in shape]
            except duckdb.Error as error:
                wrong.append(f"{name}: {table} cannot be read: {_first_line(error)}")
    return wrong


def _shape(
    connection: duckdb.DuckDBPyConnection, relation: str, table: str, told: list[dict[str, str]]
) -> list[str]:
    """How columns and types differ from the dictionary; a CSV has no types."""
    found = dict(row[:2] for row in connection.execute(f"describe from {relation}").fetchall())
    expected = {row["column"]: row["type"] for row in told}
    if list(found) != list(expected):
        odd = sorted(found.keys() ^ expected.keys()) or "the order"
        return [f"columns of {table} differ from data_dictionary.csv: {odd}"]
    if relation.startswith("read_csv"):
        return []
    return [
        f"{column} is {found[column].lower()}; data_dictionary.csv says {type_}"
        for column, type_ in expected.items()
        if found[column].lower() != type_
    ]


def _values(connection: duckdb.DuckDBPyConnection, relation: str, told: list[dict[str, str]]) -> list[str]:
    """How many values the dictionary does not allow, a sentence for each rule."""
    rules: dict[str, str] = {}
    for row in told:
        column = f'"{row["column"]}"'
        values = ", ".join(map(release_files.quoted, row["values"].split()))
        bounds = [("<", row["min"]), (">", row["max"])] if row["type"] in NUMBERS else []
        rules |= {f"{row['column']} is missing": f"{column} is null"} if row["required"] == "yes" else {}
        rules |= {f"{row['column']} {sign} {end}": f"{column} {sign} {end}" for sign, end in bounds if end}
        rules |= {f"{row['column']} is no value of it": f"{column} not in ({values})"} if values else {}
    key = [f'"{row["column"]}"' for row in told if row["key"] == "yes"]
    counts = [f"count(*) filter (where {rule})" for rule in rules.values()]
    distinct = f"count(*) - count(distinct ({', '.join(key)},))" if key else "0"
    (found,) = connection.execute(f"select {', '.join([*counts, distinct])} from {relation}").fetchall()
    says = [
        *(f"{rule}, in {{}} rows; data_dictionary.csv forbids it" for rule in rules),
        "{} rows repeat a key",
    ]
    return [sentence.format(count) for sentence, count in zip(says, found, strict=True) if count]


def _physics(connection: duckdb.DuckDBPyConnection, emissions: str) -> list[str]:
    """The laws that runs break, with the first of them."""
    wrong = []
    for law, query in PHYSICS.items():
        rows = connection.execute(query.format(emissions=emissions)).fetchall()
        if rows:
            wrong.append(f"{law}, but not in {', '.join(run for (run,) in rows[:5])}")
    return wrong


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
