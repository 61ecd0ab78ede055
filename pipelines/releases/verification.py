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


def findings(directory: Path) -> list[str]:
    """What is wrong with a release, one sentence each; empty if nothing is."""
    if not (directory / "SHA256SUMS").exists():
        return [f"{directory}: no SHA256SUMS; expected the folder of a release."]
    try:
        release.verify(directory)
    except release.BrokenReleaseError as error:
        return [str(error)]
    return [*_tables(directory), *_physics(directory)]


def _tables(directory: Path) -> list[str]:
    """Names and rows of every table: in the manifest, the dictionary, CSV, Parquet and the database."""
    with (directory / "data_dictionary.csv").open(encoding="utf-8", newline="") as file:
        told: dict[str, list[str]] = {}
        for row in csv.DictReader(file):
            told.setdefault(row["table"], []).append(row["column"])
    rows = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))["tables"]
    wrong = [
        f"{table} stands in manifest.json or data_dictionary.csv alone" for table in rows.keys() ^ told.keys()
    ]
    with duckdb.connect(str(directory / release_files.DATABASE), read_only=True) as connection:
        for table in sorted(rows.keys() & told.keys()):
            forms = {
                f"parquet/{table}.parquet": f"read_parquet('{directory}/parquet/{table}.parquet')",
                f"csv/{table}.csv": f"read_csv('{directory}/csv/{table}.csv', header = true, {AS_TEXT})",
                release_files.DATABASE: f'main."{table}"',
            }
            for name, relation in forms.items():
                try:
                    cursor = connection.execute(f"select * from {relation} limit 0")
                    columns = [column[0] for column in cursor.description]
                    ((count,),) = connection.execute(f"select count(*) from {relation}").fetchall()
                except duckdb.Error as error:
                    wrong.append(f"{name}: {table} cannot be read: {str(error).splitlines()[0]}")
                    continue
                if columns != told[table]:
                    odd = sorted(set(columns) ^ set(told[table])) or "the order"
                    wrong.append(f"{name}: columns of {table} differ from data_dictionary.csv: {odd}")
                if count != rows[table]:
                    wrong.append(f"{name}: {count} rows of {table}; manifest.json says {rows[table]}")
    return wrong


def _physics(directory: Path) -> list[str]:
    emissions = f"read_parquet('{directory}/parquet/emissions.parquet')"
    wrong = []
    for law, query in PHYSICS.items():
        rows = duckdb.execute(query.format(emissions=emissions)).fetchall()
        if rows:
            wrong.append(f"emissions: {law}, but not in {', '.join(run for (run,) in rows[:5])}")
    return wrong
