"""The curated facts: one CSV below warehouse/reference/ is one raw table of the same name.

Belongs here: reading these files and refusing a wrong row by name, line and column, with what to do.
Does not belong here: any change of a value, or what the values mean together (sql/core).
"""

import csv
import difflib
import hashlib
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from pipelines import catalog
from pipelines.models import OWNERS, definition_metadata
from pipelines.warehouse import Warehouse, replace_table

TYPES = {
    "varchar": pl.String,
    "double": pl.Float64,
    "bigint": pl.Int64,
    "boolean": pl.Boolean,
    "date": pl.Date,
}
CHIP_HOURS_TOLERANCE = 0.02  # printed hours are rounded; the facts differ by up to 1.9 %
SLIPS = {
    24: "days for hours",
    60: "minutes for hours",
    1000: "a factor of a thousand",
    3600: "seconds for hours",
}
SHOWN = 20

Row = dict[str, str]


class BadReferenceError(Exception):
    """Rows of a curated file that cannot be taken, each by line and column, with what to do."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with one cell or row, and what to do about it."""

    line: int
    column: str
    row: str
    says: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column} ({self.row}): {self.says}"


@dataclass(frozen=True)
class File:
    """The rows of one curated file as text, with the line that each begins on."""

    path: Path
    rows: list[Row]
    lines: list[int]

    def __iter__(self) -> Iterator[tuple[int, Row]]:
        return iter(zip(self.lines, self.rows, strict=True))


def file_tables() -> list[catalog.Table]:
    """The raw tables that are curated files: those with a file of their name."""
    return [
        table for name, table in catalog.tables().items() if name.startswith("raw.") and not _is_made(table)
    ]


def _is_made(table: catalog.Table) -> bool:
    return table.stem in ("publishers", "reference_files")


def read_text(directory: Path, table: catalog.Table) -> File:
    """The cells of a curated file as text.

    Raises:
        BadReferenceError: the file is missing, not UTF-8, or its header or a row has other columns.
    """
    path = directory / f"{table.stem}.csv"
    expected = [column.name for column in table.columns]
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise BadReferenceError(f"{path}: missing. It holds {table.description}") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise BadReferenceError(f"{path}, line {line}: not UTF-8. Save the file as UTF-8.") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = next(reader, [])
    if header != expected:
        raise BadReferenceError(
            f"{path}, line 1: the header must be {','.join(expected)}; "
            f"missing {sorted(set(expected) - set(header))}, unknown {sorted(set(header) - set(expected))}"
        )
    rows: list[Row] = []
    lines: list[int] = []
    start = 2
    try:
        for cells in reader:
            if len(cells) != len(expected):
                raise BadReferenceError(
                    f"{path}, line {start}: {len(cells)} cells, expected {len(expected)}. "
                    "A comma inside a cell needs the cell in double quotes."
                )
            rows.append(dict(zip(expected, cells, strict=True)))
            lines.append(start)
            start = reader.line_num + 1
    except csv.Error as error:
        raise BadReferenceError(f"{path}, line {start}: {error}. Check the double quotes.") from None
    return File(path, rows, lines)


def read(directory: Path, table: catalog.Table) -> pl.DataFrame:
    """A curated file as a frame in the catalog's types; an empty cell is null.

    Raises:
        BadReferenceError: names every row that cannot be taken.
    """
    file = read_text(directory, table)
    problems = [*_cell_problems(file, table), *_duplicates(file, table)]
    if not problems:
        problems += _unknown_references(file, table, directory)
        if rule := RULES.get(table.name):
            problems += rule(file, directory)
    if problems:
        shown = "\n  ".join(str(problem) for problem in sorted(problems, key=lambda p: p.line)[:SHOWN])
        more = f"\n  and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise BadReferenceError(f"{file.path}: {len(problems)} problems\n  {shown}{more}")
    return _typed(file, table)


def _typed(file: File, table: catalog.Table) -> pl.DataFrame:
    text = pl.DataFrame(
        file.rows, schema={column.name: pl.String for column in table.columns}, orient="row"
    ).with_columns(pl.when(pl.all() != "").then(pl.all()))
    return text.select(_cast(column) for column in table.columns)


def _cast(column: catalog.Column) -> pl.Expr:
    cell = pl.col(column.name)
    if column.type == "boolean":
        return cell == "true"
    if column.type == "date":
        return cell.str.to_date("%Y-%m-%d")
    return cell.cast(TYPES[column.type])


def _cell_problems(file: File, table: catalog.Table) -> Iterator[Problem]:
    for line, row in file:
        for column in table.columns:
            if says := _cell_problem(row[column.name], column):
                yield Problem(line, column.name, _label(row, table), says)


def _cell_problem(cell: str, column: catalog.Column) -> str | None:
    """What is wrong with one cell, or None."""
    if cell == "":
        return f"empty, but every row needs it. {column.description}" if column.required else None
    if cell != cell.strip():
        return f"{cell!r} begins or ends with a space. Remove it."
    if column.values and cell not in column.values:
        return f"{cell!r} is not one of {', '.join(column.values)}."
    if column.type in ("double", "bigint"):
        return _number_problem(cell, column)
    if column.type == "boolean" and cell not in ("true", "false"):
        return f"{cell!r} is neither true nor false."
    if column.type == "date" and not _is_date(cell):
        return f"{cell!r} is not a day as YYYY-MM-DD."
    if column.name == "source_url" and not re.match(r"https?://[^\s/]+\.[^\s/]+", cell):
        return f"{cell!r} is not an address that begins with http:// or https://."
    return None


def _number_problem(cell: str, column: catalog.Column) -> str | None:
    pattern = r"-?\d+" if column.type == "bigint" else r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
    if not re.fullmatch(pattern, cell):
        hint = " Use a point for decimals, no separator for thousands." if "," in cell else ""
        kind = "a whole number" if column.type == "bigint" else "a number"
        return f"{cell!r} is not {kind}.{hint}"
    value = float(cell)
    if (column.min is not None and value < column.min) or (column.max is not None and value > column.max):
        unit = f" in {column.unit}" if column.unit not in ("", "varies", "dimensionless", "count") else ""
        low = "-inf" if column.min is None else f"{column.min:g}"
        high = "inf" if column.max is None else f"{column.max:g}"
        return f"{cell} lies outside {low} to {high}{unit}. {column.why} Check the unit."
    return None


def _is_date(cell: str) -> bool:
    try:
        return date.fromisoformat(cell).isoformat() == cell
    except ValueError:
        return False


def _duplicates(file: File, table: catalog.Table) -> Iterator[Problem]:
    seen: dict[tuple[str, ...], int] = {}
    for line, row in file:
        key = tuple(row[column] for column in table.key)
        if key in seen:
            named = ", ".join(table.key)
            yield Problem(
                line, table.key[0], _label(row, table), f"the same {named} as line {seen[key]}. Remove one."
            )
        seen.setdefault(key, line)


def _unknown_references(file: File, table: catalog.Table, directory: Path) -> Iterator[Problem]:
    for column, target in table.references.items():
        other = catalog.tables()[target]
        known = {row[column] for row in read_text(directory, other).rows}
        for line, row in file:
            if row[column] and row[column] not in known:
                yield Problem(
                    line, column, _label(row, table), _unknown(row[column], known, f"{other.stem}.csv")
                )


def _unknown(cell: str, known: set[str], where: str) -> str:
    nearest = difflib.get_close_matches(cell, sorted(known), n=3, cutoff=0.5)
    hint = f" Nearest: {', '.join(nearest)}." if nearest else ""
    return f"{cell!r} is not known.{hint} Use a known one, or add it to {where}."


def _label(row: Row, table: catalog.Table) -> str:
    return " / ".join(row[column] for column in table.key[:2])


def spelling_key(spelling: str) -> str:
    """What spellings of one accelerator have in common, as sql/macros.sql has it."""
    return re.sub(r"[^A-Za-z0-9]+", "", spelling).lower()


def _spellings(directory: Path) -> dict[str, tuple[str, str]]:
    """Spelling key to spelling and hardware_id, from hardware.csv and hardware_aliases.csv."""
    tables = catalog.tables()
    spellings = {}
    for row in read_text(directory, tables["raw.hardware_aliases"]).rows:
        spellings[spelling_key(row["alias"])] = (row["alias"], row["hardware_id"])
    for row in read_text(directory, tables["raw.hardware"]).rows:
        spellings[spelling_key(row["hardware_id"])] = (row["hardware_id"], row["hardware_id"])
        spellings[spelling_key(row["name"])] = (row["name"], row["hardware_id"])
    return spellings


def _training_run_problems(file: File, directory: Path) -> list[Problem]:
    """What a training run must be beyond its single cells."""
    tables = catalog.tables()
    spellings = _spellings(directory)
    hardware = {row["hardware_id"]: row for row in read_text(directory, tables["raw.hardware"]).rows}
    regions = {row["region"] for row in read_text(directory, tables["raw.region_map"]).rows}
    today = datetime.now(UTC).date()
    problems = []
    seen: dict[tuple[str, ...], int] = {}
    for line, row in file:
        chip = hardware.get(spellings.get(spelling_key(row["hardware"]), ("", ""))[1])
        checks = {
            "hardware": _hardware_problem(row, spellings),
            "chip_hours": _chip_hours_problem(row) or _mfu_problem(row, chip),
            "watts_per_chip": _watts_problem(row, chip),
            "started_month": _start_problem(row, today),
            "published_date": _date_problem(row, today),
            "cloud_region": _region_problem(row["cloud_region"], row["cloud_region"], regions),
            "site": _region_problem(row["site"], f"site:{row['site']}", regions),
            "net_kg_per_kwh": _net_problem(row),
        }
        facts = (
            "model",
            "hardware",
            "chips",
            "training_hours",
            "chip_hours",
            "site",
            "source_url",
            "source_locator",
        )
        same = tuple(row[column] for column in facts)
        if same in seen:
            checks["model"] = f"the same facts as line {seen[same]} under another run_id. Remove one."
        seen.setdefault(same, line)
        problems += [Problem(line, column, row["run_id"], says) for column, says in checks.items() if says]
    return problems


def _hardware_problem(row: Row, spellings: dict[str, tuple[str, str]]) -> str | None:
    if not row["hardware"] or spelling_key(row["hardware"]) in spellings:
        return None
    return _unknown(
        row["hardware"], {s for s, _ in spellings.values()}, "hardware.csv or hardware_aliases.csv"
    )


def _chip_hours_problem(row: Row) -> str | None:
    if not (row["chips"] and row["training_hours"] and row["chip_hours"]):
        return None
    product = float(row["chips"]) * float(row["training_hours"])
    ratio = float(row["chip_hours"]) / product
    if abs(ratio - 1) <= CHIP_HOURS_TOLERANCE:
        return None
    slips = {**SLIPS, int(row["chips"]): "chips multiplied twice, or hours of one chip given as all"}
    factor = max(ratio, 1 / ratio)
    slip = next(
        (f" It looks like {why}." for n, why in slips.items() if n > 1 and abs(factor / n - 1) < 0.05), ""
    )
    return (
        f"{row['chip_hours']} contradicts {row['chips']} chips x {row['training_hours']} h = {product:g} "
        f"(more than {CHIP_HOURS_TOLERANCE:.0%} apart).{slip} Correct one of the three, or leave out the one "
        "that the source does not state."
    )


def _mfu_problem(row: Row, chip: Row | None) -> str | None:
    peaks = (
        [float(chip[p]) for p in ("peak_fp16_tflops", "peak_fp8_tflops", "peak_fp32_tflops") if chip[p]]
        if chip
        else []
    )
    hours = float(row["chip_hours"] or 0) or float(row["chips"] or 0) * float(row["training_hours"] or 0)
    if not (peaks and hours and row["training_flop"]):
        return None
    mfu = float(row["training_flop"]) / (hours * 3600 * max(peaks) * 1e12)  # hours to s, TFLOP to FLOP
    if mfu <= 1:
        return None
    return (
        f"{row['training_flop']} FLOP in {hours:g} chip-hours is {mfu:.1f} times the peak of the chip. "
        "Check chip_hours (all chips, not one) and training_flop."
    )


def _watts_problem(row: Row, chip: Row | None) -> str | None:
    if bool(row["watts_per_chip"]) != bool(row["power_basis"]):
        return "watts_per_chip and power_basis go together. Say how the power was obtained."
    if not (row["watts_per_chip"] and chip and chip["tdp_w"]):
        return None
    fraction = float(row["watts_per_chip"]) / float(chip["tdp_w"])
    if 0.15 <= fraction <= 1.5:
        return None
    return (
        f"{row['watts_per_chip']} W is {fraction:.2f} times the {chip['tdp_w']} W that {chip['name']} "
        "is rated at; 0.15 to 1.5 is possible. Check the unit, and that it is per chip."
    )


def _start_problem(row: Row, today: date) -> str | None:
    month = row["started_month"]
    if not month:
        return None
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        return f"{month!r} is not a month as YYYY-MM."
    if month > (row["published_date"] or today.isoformat())[:7]:
        return f"{month} lies after the publication or in the future."
    return None


def _date_problem(row: Row, today: date) -> str | None:
    computable = (row["hardware"] and (row["chips"] or row["chip_hours"])) or row["training_flop"]
    if computable and not (row["published_date"] or row["started_month"]):
        return "empty, as is started_month. One of them is needed to find the PUE and the grid of its year."
    if row["published_date"] > today.isoformat():
        return f"{row['published_date']} lies in the future."
    return None


def _region_problem(cell: str, region: str, regions: set[str]) -> str | None:
    if not cell or region in regions:
        return None
    return _unknown(cell, {known.removeprefix("site:") for known in regions}, "region_map.csv")


def _net_problem(row: Row) -> str | None:
    if (
        row["net_kg_per_kwh"]
        and row["gross_kg_per_kwh"]
        and float(row["net_kg_per_kwh"]) > float(row["gross_kg_per_kwh"])
    ):
        return f"net {row['net_kg_per_kwh']} exceeds gross {row['gross_kg_per_kwh']}. Are they swapped?"
    return None


RULES: dict[str, Callable[[File, Path], list[Problem]]] = {"raw.training_runs": _training_run_problems}


def reference_asset(table: catalog.Table) -> dg.AssetsDefinition:
    """The asset of one curated file."""
    path = f"warehouse/reference/{table.stem}.csv"

    @dg.asset(
        key=table.name.split("."),
        group_name="raw",
        description=table.description,
        kinds={"csv", "polars", "duckdb"},
        owners=OWNERS,
        metadata=definition_metadata(table, [path]),
    )
    def facts(warehouse: Warehouse) -> dg.MaterializeResult[Any]:
        frame = read(Path(warehouse.reference), table)
        return replace_table(warehouse.connection, table.name, frame)

    return facts


def _file_facts(directory: Path, table: catalog.Table) -> dict[str, Any]:
    content = (directory / f"{table.stem}.csv").read_bytes()
    return {
        "source_id": f"reference-{table.stem.replace('_', '-')}",
        "producer": catalog.document()["dataset"]["title"],
        "title": table.description,
        "url": f"warehouse/reference/{table.stem}.csv",
        "license": catalog.document()["dataset"]["license"],
        "sha256": hashlib.sha256(content).hexdigest(),
        "row_count": len(read_text(directory, table).rows),
    }


@dg.asset(
    key=["raw", "reference_files"],
    group_name="raw",
    description=catalog.tables()["raw.reference_files"].description,
    kinds={"csv", "duckdb"},
    owners=OWNERS,
    deps=[dg.AssetKey(table.name.split(".")) for table in file_tables()],
    metadata=definition_metadata(catalog.tables()["raw.reference_files"], ["warehouse/reference/*.csv"]),
)
def reference_files(warehouse: Warehouse) -> dg.MaterializeResult[Any]:
    """The curated files with their checksums."""
    directory = Path(warehouse.reference)
    frame = pl.DataFrame([_file_facts(directory, table) for table in file_tables()])
    return replace_table(warehouse.connection, "raw.reference_files", frame)


@dg.asset(
    key=["raw", "publishers"],
    group_name="raw",
    description=catalog.tables()["raw.publishers"].description,
    kinds={"yaml", "duckdb"},
    owners=OWNERS,
    metadata=definition_metadata(catalog.tables()["raw.publishers"], ["catalog.yaml"]),
)
def publishers(warehouse: Warehouse) -> dg.MaterializeResult[Any]:
    """Known producers, from catalog.yaml."""
    frame = pl.DataFrame(
        [vars(publisher) for publisher in catalog.publishers()], schema_overrides={"license": pl.String}
    )
    return replace_table(warehouse.connection, "raw.publishers", frame)


reference_assets = [*(reference_asset(table) for table in file_tables()), reference_files, publishers]
