"""Whether a release folder is what was written: its bytes, its tables, its dictionary, and the physics.

Belongs here: checks that need nothing but the folder, so that anyone can run them on a download.
Does not belong here: checks before a release is written (sql/checks/, expectations.py).
"""

import csv
import io
import math
import re
from pathlib import Path
from typing import Any

import duckdb

from ote import catalog, documents, isolated
from ote.answers import quantities
from ote.names import BadNameError, identifier, literal, one_line, relative_path, shown
from ote.releases import folders, metadata, reading, release_files

AS_TEXT = "all_varchar = true, delim = ',', quote = '\"', escape = '\"'"
NUMBERS = ("double", "bigint")
PUBLISHED = "published"  # what the release's database is called in queries
CSV = (".csv.gz", ".csv")
VIEWS = {name.removeprefix("out.") for name in release_files.VIEWS}
WITHOUT_CSV = {table.stem for table in catalog.public_tables() if not table.csv_file}
PARQUET_ONLY = {table.stem for table in catalog.public_tables() if table.parquet_only}
SCHEMAS = {"main", "support"}  # of the database
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")  # of a table or column
DICTIONARY_BYTES = METADATA_BYTES = 1 << 24
# Documents that are JSON, with what is read of each.
METADATA: dict[str, documents.Shape] = {
    "datapackage.json": {
        "version": str,
        "licenses": [{"name": str, "path": str}],
        "resources": [{"name": str, "path": str, "hash": str, "bytes": int}],
    },
    "croissant.json": {"version": str, "license": str, "recordSet": [{"name": str}]},
    "dataset.jsonld": {"version": str, "dcat:version": str, "license": str},
    "record.json": {"version": str, "tables": {"*": {"rows": int}}},
}
# Documents that are text, with the lines that are read of each: no pattern takes a part of a line two ways.
TEXTS = {
    "CITATION.cff": {"version": r"[\"']?version[\"']? *:(.*)", "licence": r"[\"']?license[\"']? *:(.*)"},
    "CHANGES.md": {"version": r"# (?:Changes from [^ \n]+ to )?(.*)"},
    "LICENSE": {
        "version": r"[^,\n]*, version ([^,\n]*), is licensed",
        "licence": r"[^,\n]*, version [^,\n]*, is licensed under ([^:\n]*)",
    },
    "README.md": {
        "version": r"# [^,\n]*, version (.*)",
        "licence in small letters": r"license:(.*)",
        "tables": r"- config_name:(.*)",
        "rows": r"\| ([^|\n]*\| [\d,]+) \|",
    },
    "data_dictionary.md": {"tables": r"## ([a-z].*)"},
}

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
    try:
        return problems(directory)
    except reading.MalformedReleaseError as error:
        return [str(error)]


def problems(directory: Path) -> list[str]:
    """What is wrong with a release that can be read, one sentence each; every text of it is data alone.

    Raises:
        MalformedReleaseError: a file that describes it is not of its form: nothing else was looked at.
    """
    if not (directory / reading.SUMS).exists():
        return [f"{directory}: no {reading.SUMS}; expected the folder of a release."]
    real = directory.resolve()
    try:
        reading.verify(directory)
        manifest = reading.manifest(directory)
        rows, odd = manifest["tables"], documents.unprinted(manifest)
        stated = _dictionary(real)
        described = _metadata(real, reading.checksums(directory))
        tables = sorted(rows.keys() & stated.keys())
        files = [*(real / "parquet" / f"{table}.parquet" for table in tables), *_csv_files(real).values()]
        with isolated.connect(files, {PUBLISHED: real / release_files.DATABASE}) as connection:
            wrong = [
                *_strangers(real, connection, stated, rows),
                *_tables(real, connection, stated, rows),
            ] or [
                *described,
                *_contradictions(manifest, _said(real) | _said_by_database(connection)),
                *_second_names(real),
                *([f"manifest.json: {odd}"] if odd else []),
            ]
    except reading.MalformedReleaseError:
        raise
    except documents.MalformedError as error:
        raise reading.MalformedReleaseError(f"{error}. {reading.AGAIN}") from None
    except reading.BrokenReleaseError as error:
        return [str(error)]
    except FileNotFoundError as error:
        return [f"{error.filename} is missing"]
    except OSError as error:
        return [str(error)]
    except duckdb.Error as error:
        return [f"{release_files.DATABASE} cannot be read: {_first_line(error)}"]
    return [one_line(says) for says in wrong]


def _dictionary(directory: Path) -> Dictionary:
    """The columns of each table by data_dictionary.csv.

    Raises:
        MalformedError: it is not CSV, lacks a column, or a cell is not what it must be.
    """
    name = "data_dictionary.csv"
    content = folders.read(directory, name, DICTIONARY_BYTES)
    stated: Dictionary = {}
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
        if (header := next(reader, [])) != list(release_files.DICTIONARY):
            raise documents.MalformedError(f"the header is {shown(','.join(header))}")
        for cells in reader:
            if len(cells) != len(header):
                raise documents.MalformedError(f"line {reader.line_num}: {len(cells)} cells")
            row = dict(zip(header, cells, strict=True))
            if says := _row_problem(row) or documents.unprinted(row):
                raise documents.MalformedError(f"line {reader.line_num}: {says}")
            stated.setdefault(row["table"], []).append(row)
    except (ValueError, csv.Error) as error:
        raise documents.MalformedError(
            f"{directory / name}: {error}; expected the columns {', '.join(release_files.DICTIONARY)}"
        ) from None
    return stated


def _row_problem(row: dict[str, str]) -> str | None:
    """What in a row of the dictionary cannot be."""
    for column in ("table", "column"):
        if not NAME.fullmatch(row[column]):
            return f"{column}: {shown(row[column])}, expected lower-case letters, digits and underscores"
    for column in ("key", "required"):
        if row[column] not in ("yes", "no"):
            return f"{column}: {shown(row[column])}, expected yes or no"
    for column in ("min", "max"):
        if row[column] and _number(row[column]) is None:
            return f"{column}: {shown(row[column])}, expected a number"
    return None


def _number(text: str) -> float | None:
    """A finite number as the dictionary writes it."""
    if not re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", text, re.ASCII):
        return None
    return value if math.isfinite(value := float(text)) else None


def _metadata(directory: Path, sums: dict[str, str]) -> list[str]:
    """How the machine-readable descriptions differ from the files.

    Raises:
        MalformedError: one is not JSON, or not of its form.
    """
    wrong = []
    for name, shape in METADATA.items():
        if name not in sums:
            wrong.append(f"{name} is missing")
            continue
        content = folders.read(directory, name, METADATA_BYTES)
        document = documents.parse(content, shape, str(directory / name))
        if problem := documents.unprinted(document):
            wrong.append(f"{name}: {problem}")
        for number, resource in enumerate(document["resources"] if name == "datapackage.json" else ()):
            try:
                path = relative_path(resource["path"])
            except BadNameError as error:
                where = f"{directory / name}: resources[{number}].path"
                raise documents.MalformedError(f"{where}: {error}") from None
            if path not in sums:
                wrong.append(f"{name}: {path} is not in the release")
            elif resource["hash"] != f"sha256:{sums[path]}":
                wrong.append(f"{name}: the hash of {path} differs from {reading.SUMS}")
            elif resource["bytes"] != (directory / path).stat().st_size:
                wrong.append(f"{name}: {path} does not have {resource['bytes']} bytes")
    return wrong


Said = dict[str, dict[str, set[str]]]  # what each file says of each property of the release


def _contradictions(manifest: dict[str, Any], said: Said) -> list[str]:
    """What the files that describe a release say, and its manifest does not."""
    version, licence, rows = manifest["version"], manifest.get("license", ""), manifest["tables"]
    address = metadata.LICENSE_URL if licence == catalog.dataset().license else ""
    expected = {
        "version": {version},
        "version without build": {version.split("+")[0]},
        "licence": {licence},
        "licence in small letters": {licence.lower()},
        "address of the licence": {address},
        "tables": {*rows},
        "tables with a CSV": {*rows} - WITHOUT_CSV,
        "rows": {f"{table} | {count:,}" for table, count in rows.items()},
    }
    return [
        f"{name}: {what}: {_listed(found - expected[what])}, where manifest.json has "
        f"{_listed(expected[what] - found)}"
        for name, facts in said.items()
        for what, found in facts.items()
        if found != expected[what]
    ]


def _listed(values: set[str]) -> str:
    return ", ".join(map(shown, sorted(values)[:5])) + (", and others" * (len(values) > 5)) or "nothing"


def _said(directory: Path) -> Said:
    """What the texts and the JSON that describe a release say of it; all are of their form."""
    said: Said = {}
    for name, patterns in TEXTS.items():
        text = folders.read(directory, name, METADATA_BYTES).decode("utf-8", errors="replace")
        said[name] = {
            what: {found.strip(" \"'") for found in re.findall(f"(?m)^{pattern}", text)}
            for what, pattern in patterns.items()
        }
    package, croissant, linked, record = (
        documents.parse(folders.read(directory, name, METADATA_BYTES), shape, str(directory / name))
        for name, shape in METADATA.items()
    )
    return said | {
        "datapackage.json": {
            "version": {package["version"]},
            "licence": {licence["name"] for licence in package["licenses"]},
            "address of the licence": {licence["path"] for licence in package["licenses"]},
            "tables with a CSV": {resource["name"] for resource in package["resources"]},
        },
        "croissant.json": {
            "version without build": {croissant["version"]},
            "address of the licence": {croissant["license"]},
            "tables": {records["name"] for records in croissant["recordSet"]},
        },
        "dataset.jsonld": {
            "version": {linked["version"], linked["dcat:version"]},
            "address of the licence": {linked["license"]},
        },
        "record.json": {
            "version": {record["version"]},
            "rows": {f"{table} | {facts['rows']:,}" for table, facts in record["tables"].items()},
        },
    }


def _said_by_database(connection: duckdb.DuckDBPyConnection) -> Said:
    """The version that the view `release` of the database names; the view is not executed."""
    rows = connection.execute(
        "select regexp_extract(sql, 'SELECT ''([^'']*)'' AS', 1) from duckdb_views() "
        "where database_name = ? and view_name = 'release'",
        [PUBLISHED],
    ).fetchall()
    return {release_files.DATABASE: {"version": {version for (version,) in rows}}} if rows else {}


def _second_names(directory: Path) -> list[str]:
    """The files with a second name, through which they may be changed later."""
    return [
        f"{name} is a hard link: it has a second name elsewhere. Copy the folder, and verify the copy"
        for name, path in folders.listing(directory)[0].items()
        if path.stat().st_nlink > 1
    ]


def _strangers(
    directory: Path, connection: duckdb.DuckDBPyConnection, stated: Dictionary, rows: dict[str, int]
) -> list[str]:
    """Tables that are not in every one of: the dictionary, the manifest, the folders, the database.

    And what else is in the database: a release has the schemas main and support, a view that names it, and
    views by which tables are known under their old names.
    """
    views, known = _objects(connection, "views", "view_name"), {"release", *VIEWS, *catalog.old_tables()}
    names = _objects(connection, "tables", "table_name") | (views & VIEWS)
    places = {
        "manifest.json": set(rows),
        "data_dictionary.csv": set(stated),
        "parquet/": {file.stem for file in (directory / "parquet").glob("*.parquet")},
        "csv/": set(_csv_files(directory)) | (WITHOUT_CSV & {*rows}),
        release_files.DATABASE: names | (PARQUET_ONLY & {*rows}),
    }
    every = set().union(*places.values())
    wrong = [
        f"{table} is not in {place}, but in {', '.join(other for other in places if table in places[other])}"
        for place, tables in places.items()
        for table in sorted(every - tables)
    ]
    odd = {f"view {name}" for name in views - known | _reading_files(connection)}
    support = {table.stem for table in catalog.support_tables()}
    odd |= {
        f"table support.{name}" for name in _objects(connection, "tables", "table_name", "support") - support
    }
    odd |= {f"macro {name}" for name in _objects(connection, "functions", "function_name")}
    odd |= {f"schema {name}" for name in _objects(connection, "schemas", "schema_name", None) - SCHEMAS}
    return wrong + [f"{release_files.DATABASE}: {what} is not of a release" for what in sorted(odd)]


def _reading_files(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The views of the release's database that read anything but tables; none of them is executed."""
    rows = connection.execute(
        "select view_name, "
        "json_serialize_sql(regexp_extract(sql, '(?is)^create view .+? as (.*?);?\\s*$', 1)) "
        "from duckdb_views() where database_name = ? and not internal",
        [PUBLISHED],
    ).fetchall()
    return {name for name, tree in rows if '"error":true' in tree or "TABLE_FUNCTION" in tree}


def _objects(
    connection: duckdb.DuckDBPyConnection, kind: str, column: str, schema: str | None = "main"
) -> set[str]:
    """The names of one kind of things in a schema of the release's database; nothing in it is executed."""
    rows = connection.execute(
        f"select {column} from duckdb_{kind}() where database_name = ? and not internal "
        "and schema_name = coalesce(?, schema_name)",
        [PUBLISHED, schema],
    ).fetchall()
    return {name for (name,) in rows}


def _csv_files(directory: Path) -> dict[str, Path]:
    """The CSV of each table, packed or not."""
    files = sorted((directory / "csv").iterdir()) if (directory / "csv").is_dir() else []
    return {file.name.removesuffix(end): file for end in CSV for file in files if file.name.endswith(end)}


def _tables(
    directory: Path, connection: duckdb.DuckDBPyConnection, stated: Dictionary, rows: dict[str, int]
) -> list[str]:
    """Columns, types and rows of every table in each form, the values of the Parquet, and the formula."""
    wrong = []
    real_tables, csv_files = _objects(connection, "tables", "table_name"), _csv_files(directory)
    for table in sorted(rows.keys() & stated.keys()):
        parquet = f"read_parquet({literal(isolated.pattern(directory / 'parquet' / f'{table}.parquet'))})"
        text = literal(isolated.pattern(csv_files.get(table, directory / "csv" / f"{table}.csv")))
        forms = {f"parquet/{table}.parquet": parquet}
        if table not in WITHOUT_CSV:
            # Said, since DuckDB takes what follows a question mark in a path for no part of the name.
            packed = ", compression = 'gzip'" if csv_files.get(table, Path()).suffix == ".gz" else ""
            forms[f"csv/{table}.csv"] = f"read_csv({text}, header = true, {AS_TEXT}{packed})"
        if table in real_tables:  # and not a view, which would be executed
            forms[release_files.DATABASE] = f"{PUBLISHED}.main.{identifier(table)}"
        for name, relation in forms.items():
            try:
                shape = _shape(connection, relation, table, stated[table])
                ((count,),) = connection.execute(f"select count(*) from {relation}").fetchall()
                if count != rows[table]:
                    shape.append(f"{count} rows of {table}; manifest.json says {rows[table]}")
                if not shape and relation == parquet:
                    shape += _values(connection, relation, stated[table])
                    shape += _physics(connection, relation) if table == "emissions" else []
                wrong += [f"{name}: {says}" for says in shape]
            except duckdb.Error as error:
                wrong.append(f"{name}: {table} cannot be read: {_first_line(error)}")
    return wrong


def _shape(
    connection: duckdb.DuckDBPyConnection, relation: str, table: str, stated: list[dict[str, str]]
) -> list[str]:
    """How columns and types differ from the dictionary; a CSV has no types."""
    found = dict(row[:2] for row in connection.execute(f"describe from {relation}").fetchall())
    if relation.startswith(PUBLISHED):
        known = catalog.tables().get(f"out.{table}")
        found = {
            column: type_ for column, type_ in found.items() if not known or column not in known.old_columns
        }
    expected = {row["column"]: row["type"] for row in stated}
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


def _values(connection: duckdb.DuckDBPyConnection, relation: str, stated: list[dict[str, str]]) -> list[str]:
    """How many values the dictionary does not allow, a sentence for each rule."""
    rules: list[tuple[str, str, list[object]]] = []  # a sentence, its condition, what that compares with
    for row in stated:
        name, column = row["column"], identifier(row["column"])
        if row["required"] == "yes":
            rules.append((f"{name} is missing", f"{column} is null", []))
        if row["type"] in NUMBERS:
            ends = [(sign, row[end], _number(row[end])) for sign, end in (("<", "min"), (">", "max"))]
            rules += [
                (f"{name} {sign} {text}", f"{column} {sign} cast(? as double)", [end])
                for sign, text, end in ends
                if end is not None
            ]
        if values := row["values"].split():
            rules.append(
                (f"{name} has a value that is not allowed", f"not list_contains(?, {column})", [values])
            )
    key = [identifier(row["column"]) for row in stated if row["key"] == "yes"]
    counts = [f"count(*) filter (where {condition})" for _, condition, _ in rules]
    distinct = f"count(*) - count(distinct ({', '.join(key)},))" if key else "0"
    compared = [value for _, _, values in rules for value in values]
    (found,) = connection.execute(
        f"select {', '.join([*counts, distinct])} from {relation}", compared
    ).fetchall()
    wrong = [
        f"{says}, in {quantities.counted(count, 'row')}; data_dictionary.csv forbids it"
        for (says, _, _), count in zip(rules, found, strict=False)
        if count
    ]
    return wrong + ([f"keys are repeated, in {quantities.counted(found[-1], 'row')}"] if found[-1] else [])


def _physics(connection: duckdb.DuckDBPyConnection, emissions: str) -> list[str]:
    """The laws that runs break, with the first of them."""
    wrong = []
    for law, query in PHYSICS.items():
        rows = connection.execute(query.format(emissions=emissions)).fetchall()
        if rows:
            wrong.append(f"{law}, but not in {', '.join(str(run) for (run,) in rows[:5])}")
    return wrong


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
