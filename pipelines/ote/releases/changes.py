"""What differs between two releases, cell by cell, and why.

Belongs here: comparing the Parquet files of two releases, finding the cause of each difference, and saying it
to people. Does not belong here: the version that follows (record.py), or writing a release (release.py).

Causes, found by walking from an estimate to its factors, from there to the disclosed facts of its run, and to
what went into the releases:

* source_revised: an upstream file has other bytes
* fact_corrected: a curated fact of the run itself differs, or a file of curated facts has another text
* facts_changed: it is computed from curated facts, of which others than the run's own differ
* new_evidence: the factor has another basis or source than before, and the inputs differ
* method_changed: a query behind the table, the code that reads sources, the catalog or a library changed
* retrieved_again: an upstream was asked at another time and had the same bytes
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from ote import isolated
from ote.names import identifier, literal, one_line, shown
from ote.releases import folders, reading

# Made from other tables alone, and larger than all of them: its cells are counted, and listed when asked for.
FOLLOWS = {"what_if": "emissions and locations"}
# What went in, a row a source or file: each is its own cause. Of equal bytes, these say when they were had.
INPUT_TABLES = ("sources", "source_files")
RETRIEVAL = ("retrieved_at", "http_status")
FACTS = "reference-"
RUNS = "reference-training-runs"

SCHEMA = pl.Schema(
    {
        "table_name": pl.String(),
        "row_key": pl.String(),
        "column_name": pl.String(),
        "change": pl.String(),
        "old_value": pl.String(),
        "new_value": pl.String(),
        "ratio": pl.Float64(),
        "cause": pl.String(),
        "explanation": pl.String(),
    }
)

# Tables of which each row is of a run; their columns and the factors that they are computed from.
OF_A_RUN = ("emissions", "embodied_emissions", "gross_by_basis", "training_runs", "water_use", "what_if")
ENERGY = ("chip_hours", "watts_per_chip", "pue")
FACTORS_OF = {
    "chip_hours": ("chip_hours",),
    "watts_": ("watts_per_chip",),
    "pue": ("pue",),
    "gross_": ("gross_kg_per_kwh",),
    "intensity_basis": ("gross_kg_per_kwh",),
    "net_": ("gross_kg_per_kwh", "net_kg_per_kwh"),
    "energy_": ENERGY,
    "co2e_gross": (*ENERGY, "gross_kg_per_kwh"),
    "co2e_net": (*ENERGY, "gross_kg_per_kwh", "net_kg_per_kwh"),
    "embodied_": ("chip_hours",),
    "water_": ENERGY,
}
# Columns of training_runs that are no fact, and the facts of the run that they are computed from.
COMPUTED = {"run_year": ("started_month", "published_date")}
# Columns of training_runs that the factors of the same run rest on.
PLACE = ("provider", "cloud_region", "site", "site_country", "started_month", "run_year")
FACTS_OF = {
    "chip_hours": ("chip_hours", "chips", "training_hours", "training_flop", "mfu", "hardware_id"),
    "watts_per_chip": ("watts_per_chip", "power_basis", "hardware_id"),
    "pue": ("pue", *PLACE),
    "gross_kg_per_kwh": ("gross_kg_per_kwh", *PLACE),
    "net_kg_per_kwh": ("net_kg_per_kwh", "gross_kg_per_kwh", *PLACE),
}

Cause = tuple[str, str]  # one of the words above, and a sentence


# What stands in the manifest of all else that a value can depend on.
MADE_WITH = {
    "reading_sha256": "the code that reads sources",
    "catalog_sha256": "the catalog, with the ranges that rows must lie in,",
    "libraries": "the version of a library",
}


class NoReleaseError(Exception):
    """A folder is no release that can be compared; the message says what is missing."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """All that differs between two releases."""

    old_version: str
    new_version: str
    cells: pl.DataFrame  # SCHEMA


def compare(old: Path, new: Path, *, every_cell: bool = False) -> Difference:
    """Compare two release folders.

    Args:
        old: folder of the earlier release.
        new: folder of the later one.
        every_cell: list the cells of tables that follow from others (FOLLOWS) as well; else they are counted.

    Raises:
        NoReleaseError: one of them is no release.
    """
    inputs = _Inputs(_manifest(old), _manifest(new))
    old_tables, new_tables = _tables(old), _tables(new)
    connection = isolated.connect([*old_tables.values(), *new_tables.values()])
    frames = [pl.DataFrame(schema=SCHEMA)]
    for name in sorted(old_tables.keys() | new_tables.keys()):
        if name not in new_tables or name not in old_tables:
            change = "table_removed" if name not in new_tables else "table_added"
            frames.append(_one(name, "", "", change, inputs.catalog()))
            continue
        cells = _compare_table(connection, name, old_tables[name], new_tables[name], inputs)
        if name in FOLLOWS and cells.height and not every_cell:
            cells = _counted(name, cells)
        frames.append(cells)
    cells = _explained(pl.concat(frames), connection, old_tables, new_tables, inputs)
    return Difference(
        old_version=inputs.old["version"],
        new_version=inputs.new["version"],
        cells=cells.sort("table_name", "row_key", "column_name"),
    )


def write_cells(difference: Difference, file: Path) -> None:
    """Write every cell to a Parquet file, or to a CSV file that a spreadsheet shows and does not execute.

    Raises:
        OSError: it cannot be written.
    """
    if file.suffix == ".parquet":
        difference.cells.write_parquet(file)
        return
    text = pl.col(pl.String)
    is_formula = text.str.contains(r"^[=+@'\t\r-]") & text.cast(pl.Float64, strict=False).is_null()
    safe = pl.when(is_formula).then(pl.lit("'") + text).otherwise(text)
    difference.cells.with_columns(safe.name.keep()).write_csv(file)


def page(difference: Difference, cells_are: str, largest: int = 20) -> str:
    """What changed for those who use the data, in Markdown.

    Args:
        difference: of two releases.
        cells_are: the last line: where each cell is.
        largest: how many of the estimates that moved most are listed.
    """
    cells = difference.cells
    lines = [f"# Changes from {difference.old_version} to {difference.new_version}", ""]
    if not cells.height:
        return "\n".join([*lines, "Nothing changed.", ""])
    lines += ["| table | change | cells or rows | cause |", "|---|---|---|---|"]
    counts = cells.group_by("table_name", "change", "cause").len().sort("table_name", "change", "cause")
    lines += [
        f"| {table} | {change} | {count:,} | {cause} |" for table, change, cause, count in counts.iter_rows()
    ]
    moved = (
        cells.filter(
            (pl.col("table_name") == "emissions")
            & pl.col("column_name").is_in(["energy_mwh", "co2e_gross_t", "co2e_net_t"])
            & pl.col("ratio").is_not_null()
        )
        .with_columns(step=pl.col("ratio").log().abs())
        .sort(pl.col("step"), "row_key", descending=[True, False])
        .head(largest)
    )
    if moved.height:
        lines += ["", f"The largest of the estimates that moved ({moved.height} shown):", ""]
        lines += ["| run | quantity | from | to | ratio | cause |", "|---|---|---|---|---|---|"]
        lines += [
            f"| {row['row_key']} | {row['column_name']} | {_short(row['old_value'])} "
            f"| {_short(row['new_value'])} | {row['ratio']:.3g} | {row['cause']}: {row['explanation']} |"
            for row in moved.iter_rows(named=True)
        ]
    return "\n".join([*lines, "", cells_are, ""])


class _Inputs:
    """What went into two releases, and which of it differs."""

    def __init__(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        self.old, self.new = old, new
        before = {source["source_id"]: source["sha256"] for source in old["sources"]}
        after = {source["source_id"]: source["sha256"] for source in new["sources"]}
        self.upstreams = {name for name in before.keys() | after.keys() if not name.startswith(FACTS)}
        self.differs = sorted(
            name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
        )

    def catalog(self) -> Cause:
        return "method_changed", "the catalog of tables changed"

    def method_changed(self, table: str) -> bool:
        """Whether a query behind a table differs."""
        old, new = (
            manifest.get("lineage", {}).get(table, {}).get("method_sha256")
            for manifest in (self.old, self.new)
        )
        return bool(old != new)

    def read_by(self, table: str) -> list[str]:
        """The inputs of a table that differ."""
        read = set(self.new.get("lineage", {}).get(table, {}).get("inputs", []))
        return [name for name in self.differs if name in read]

    def of_run(self, source: str) -> Cause:
        """Why the row of a run differs, by where it is from: an upstream, or else the curated facts."""
        if source in self.upstreams:
            return self.of_source(source, "training_runs")
        return ("fact_corrected", f"{RUNS} changed") if RUNS in self.differs else self.cause("training_runs")

    def of_source(self, source: str, table: str) -> Cause:
        """Why a row of a table differs that is from one source."""
        if source in self.upstreams and source in self.differs and not self.method_changed(table):
            return "source_revised", f"{source} changed"
        return self.cause(table)

    def cause(self, table: str) -> Cause:
        """What differs of all that a table is made by and of: its method before its inputs."""
        inputs = self.read_by(table)
        listed = f"{', '.join(inputs[:3])}{' and others' if inputs[3:] else ''}"
        if self.method_changed(table):
            return "method_changed", f"a query behind {table} changed{f'; so did {listed}' if inputs else ''}"
        upstream = [name for name in inputs if not name.startswith(FACTS)]
        if inputs:
            return (
                "source_revised" if upstream else "facts_changed",
                f"computed from {listed}, which changed",
            )
        for part, name in MADE_WITH.items():
            if self.old.get(part) != self.new.get(part):
                return "method_changed", f"{name} changed"
        return "unexplained", "no input, query, reading code, catalog or library differs"


def _manifest(release: Path) -> dict[str, Any]:
    try:
        return reading.manifest(release, reading.COMPARED)
    except FileNotFoundError:
        raise NoReleaseError(f"{release}: no manifest.json; expected the folder of a release.") from None
    except (OSError, reading.BrokenReleaseError) as error:
        raise NoReleaseError(f"{error}; expected the folder of a release.") from None


def _tables(release: Path) -> dict[str, Path]:
    """The Parquet files of a release, by their tables.

    Raises:
        NoReleaseError: something in the folder is a link, or no file.
    """
    real = release.resolve()
    files, others = folders.listing(real)
    if others:
        raise NoReleaseError(f"{release}: {one_line('; '.join(others))}")
    paths = [path for path in files.values() if path.parent == real / "parquet" and path.suffix == ".parquet"]
    return {path.stem: path for path in paths}


def _key(file: Path, columns: Iterable[str]) -> list[str]:
    """The key that a Parquet file names, of its own columns.

    Raises:
        NoReleaseError: it names none, or another column.
    """
    import pyarrow.parquet as pq

    metadata: dict[bytes, bytes] = pq.read_schema(file).metadata or {}
    text = metadata.get(b"key", b"").decode(errors="replace")
    if not text:
        raise NoReleaseError(
            f"{file}: its metadata name no key, so its rows cannot be matched. Another program rewrote it: "
            "download or build the release again."
        )
    if not set(named := text.split(", ")) <= set(columns):
        raise NoReleaseError(
            f"{file}: its metadata name the key {shown(text)}, but the table has no such columns. "
            "Download or build the release again."
        )
    return named


def _one(table: str, key: str, column: str, change: str, cause: Cause | tuple[None, str]) -> pl.DataFrame:
    row = dict.fromkeys(SCHEMA, None) | {
        "table_name": table, "row_key": key, "column_name": column, "change": change,
        "cause": cause[0], "explanation": cause[1],
    }  # fmt: skip
    return pl.DataFrame([row], schema=SCHEMA)


def _columns(connection: duckdb.DuckDBPyConnection, file: Path) -> dict[str, str]:
    rows = connection.execute("describe from read_parquet(?)", [isolated.pattern(file)]).fetchall()
    return {row[0]: row[1] for row in rows}


def _compare_table(
    connection: duckdb.DuckDBPyConnection, name: str, old: Path, new: Path, inputs: _Inputs
) -> pl.DataFrame:
    before, after = _columns(connection, old), _columns(connection, new)
    frames = []
    for column in sorted(before.keys() | after.keys()):
        if before.get(column) == after.get(column):
            continue
        change = (
            "column_removed"
            if column not in after
            else "column_added"
            if column not in before
            else "column_retyped"
        )
        frames.append(_one(name, "", column, change, inputs.catalog()))
    old_key, key = _key(old, before), _key(new, after)
    if old_key != key:
        frames.append(_one(name, "", ", ".join(key), "key_changed", inputs.catalog()))
        return pl.concat(frames)
    shared = [column for column in after if before.get(column) == after[column] and column not in key]
    return pl.concat([*frames, _cells(connection, name, old, new, key, shared)])


def _counted(name: str, cells: pl.DataFrame) -> pl.DataFrame:
    """One line that says how many cells of a table changed, and changes of its columns."""
    listed = cells.filter(pl.col("change").is_in(["added", "gone", "changed"]))
    count = f"{listed.height:,} cells; they follow from {FOLLOWS[name]}"
    others = cells.filter(~pl.col("change").is_in(["added", "gone", "changed"]))
    if not listed.height:
        return others
    return pl.concat([others, _one(name, "", "", "changed", (None, count))])


def _cells(
    connection: duckdb.DuckDBPyConnection, name: str, old: Path, new: Path, key: list[str], shared: list[str]
) -> pl.DataFrame:
    """Each row that is added or gone, and each cell that changed; a null equals a null."""
    row_key = " || ', ' || ".join(
        f"coalesce(cast(coalesce(n.{k}, o.{k}) as varchar), '')" for k in map(identifier, key)
    )
    join = " and ".join(f"o.{k} is not distinct from n.{k}" for k in map(identifier, key))
    compared = ", ".join(
        f"if(o.is_old and n.is_new and o.{c} is distinct from n.{c}, {{'column': {literal(column)}, "
        f"'old': cast(o.{c} as varchar), 'new': cast(n.{c} as varchar)}}, null)"
        for column in shared
        for c in [identifier(column)]
    )
    connection.execute(
        f"""
        create or replace temp table cells as
        select row_key,
            case when not is_old then 'added' when not is_new then 'gone' else 'changed' end as change,
            unnest(if(is_old and is_new, list_filter(differences, lambda d: d is not null),
                [{{'column': '', 'old': null, 'new': null}}])) as cell
        from (
            select {row_key} as row_key, o.is_old is not null as is_old, n.is_new is not null as is_new,
                [{compared or "null"}] as differences
            from (select *, true as is_old from read_parquet($old)) as o
            full join (select *, true as is_new from read_parquet($new)) as n on {join}
        )
        """,
        {"old": isolated.pattern(old), "new": isolated.pattern(new)},
    )
    found = connection.sql(
        """
        select $name as table_name, row_key, cell['column'] as column_name, change,
            cell['old'] as old_value, cell['new'] as new_value,
            try_cast(cell['new'] as double) / nullif(try_cast(cell['old'] as double), 0) as ratio,
            cast(null as varchar) as cause, cast(null as varchar) as explanation
        from cells
        """,
        params={"name": name},
    )
    return pl.DataFrame(found.to_arrow_table()).cast(SCHEMA)


@dataclass(frozen=True, kw_only=True)
class _Walk:
    """Why the factors and the disclosed facts of runs differ, for all that is computed from them."""

    facts: dict[tuple[str, str], Cause]  # by run and column of training_runs; '' for whole rows of the run
    factors: dict[tuple[str, str], tuple[float, Cause]]  # by run and factor, with how far it moved
    retrieved: set[tuple[str, str]]  # tables and keys of what went in with the same bytes as before
    inputs: _Inputs


def _explained(
    cells: pl.DataFrame,
    connection: duckdb.DuckDBPyConnection,
    old: dict[str, Path],
    new: dict[str, Path],
    inputs: _Inputs,
) -> pl.DataFrame:
    """The same cells with a cause each; what follows from the estimates has their most frequent one."""
    facts = _fact_causes(cells, connection, old, new, inputs)
    factors = {}
    if "emission_factors" in old and "emission_factors" in new:
        factors = _factor_causes(connection, old["emission_factors"], new["emission_factors"], facts, inputs)
    went_in = cells.filter(pl.col("table_name").is_in(INPUT_TABLES), pl.col("change") == "changed")
    rows = went_in.group_by("table_name", "row_key").agg(again=pl.col("column_name").is_in(RETRIEVAL).all())
    again = rows.filter("again").select("table_name", "row_key").rows()
    walk = _Walk(facts=facts, factors=factors, retrieved=set(again), inputs=inputs)
    causes: list[Cause] = []
    of_estimates: Counter[str] = Counter()
    for table, key, column, change, cause, says in cells.select(
        "table_name", "row_key", "column_name", "change", "cause", "explanation"
    ).iter_rows():
        if cause is None and says is not None:  # counted: what follows
            frequent = of_estimates.most_common(1)
            cause = frequent[0][0] if frequent else inputs.cause(table)[0]
        causes.append((cause, says) if cause else _cause(table, key, column, change, walk))
        if table == "emissions":
            of_estimates[causes[-1][0]] += 1
    return cells.with_columns(
        cause=pl.Series([cause for cause, _ in causes], dtype=pl.String()),
        explanation=pl.Series([says for _, says in causes], dtype=pl.String()),
    )


def _cause(table: str, key: str, column: str, change: str, walk: _Walk) -> Cause:
    """Why a cell or row differs: by its factors, then the facts of its run, then all that its table is of."""
    if table == "emission_factors":
        run, _, factor = key.rpartition(", ")
        if (run, factor) in walk.factors:
            return walk.factors[run, factor][1]
    if table in OF_A_RUN:
        run = key.split(", ")[0]
        if found := _followed(run, column, walk.factors):
            return found
        if (run, column) in walk.facts:
            return walk.facts[run, column]
    if table in INPUT_TABLES:
        return _went_in(table, key, change, walk)
    return walk.inputs.cause(table)


def _followed(run: str, column: str, factors: dict[tuple[str, str], tuple[float, Cause]]) -> Cause | None:
    """The cause of that factor of a column which moved most, with a sentence for each that moved."""
    for prefix, names in FACTORS_OF.items():
        if column.startswith(prefix):
            found = sorted((factors[run, name] for name in names if (run, name) in factors), reverse=True)
            if found:
                return found[0][1][0], "; ".join(says for _, (_, says) in found)
    return None


def _went_in(table: str, key: str, change: str, walk: _Walk) -> Cause:
    """Why a row of what went in differs: it is its own cause."""
    if (table, key) in walk.retrieved:
        return "retrieved_again", "downloaded at another time, with the same content"
    if key in walk.inputs.differs:
        return "fact_corrected" if key.startswith(FACTS) else "source_revised", f"{key} changed"
    if table == "source_files":
        says = {"added": "the file is new", "gone": "the file is gone"}.get(
            change, "the content of the file changed"
        )
        return "source_revised", says
    return walk.inputs.cause(table)


def _fact_causes(
    cells: pl.DataFrame,
    connection: duckdb.DuckDBPyConnection,
    old: dict[str, Path],
    new: dict[str, Path],
    inputs: _Inputs,
) -> dict[tuple[str, str], Cause]:
    """For each cell of a run's own row that differs, and for rows that are new or gone with it: why."""
    own = cells.filter(
        pl.col("table_name") == "training_runs", pl.col("change").is_in(["added", "gone", "changed"])
    )
    if not own.height:
        return {}
    sources: dict[str, str] = {}
    for tables in (old, new):
        file = isolated.pattern(tables["training_runs"])
        rows = connection.execute("select run_id, source_id from read_parquet(?)", [file]).fetchall()
        sources.update(rows)
    keys = own.select("row_key", "column_name").rows()
    whole = [(run, "") for run, _ in keys]
    causes = {(run, column): inputs.of_run(sources[run]) for run, column in [*keys, *whole]}
    changed = set(own.filter(pl.col("change") == "changed").select("row_key", "column_name").rows())
    causes |= {
        (run, column): inputs.cause("training_runs")
        for run, column in changed
        if (computed_from := COMPUTED.get(column)) and not changed & {(run, name) for name in computed_from}
    }
    merged = _merged(connection, new)
    return causes | {
        (run, ""): ("fact_corrected", f"merged into {merged[run]}") for run, _ in keys if run in merged
    }


def _merged(connection: duckdb.DuckDBPyConnection, new: dict[str, Path]) -> dict[str, str]:
    """Old ids of runs in the newer release, and the runs that they were merged into."""
    if "run_relations" not in new:
        return {}
    file = isolated.pattern(new["run_relations"])
    query = "select run_id, other_run_id from read_parquet(?) where relation = 'merged'"
    return dict(connection.execute(query, [file]).fetchall())


def _factor_causes(
    connection: duckdb.DuckDBPyConnection,
    old: Path,
    new: Path,
    facts: dict[tuple[str, str], Cause],
    inputs: _Inputs,
) -> dict[tuple[str, str], tuple[float, Cause]]:
    """For each factor of each run that differs: how far its value moved (the logarithm), and why."""
    rows = connection.execute(
        """
        select n.run_id, n.factor, o.value, n.value, o.gsd, n.gsd, o.basis, n.basis, o.source_id, n.source_id
        from read_parquet($old) as o
        inner join read_parquet($new) as n on o.run_id = n.run_id and o.factor = n.factor
        where (o.value, o.gsd, o.basis, o.source_id) is distinct from (n.value, n.gsd, n.basis, n.source_id)
        order by n.run_id, n.factor
        """,
        {"old": isolated.pattern(old), "new": isolated.pattern(new)},
    ).fetchall()
    causes = {}
    for run, factor, was, value, was_gsd, gsd, was_basis, basis, was_source, source in rows:
        fact = next((facts[run, name] for name in FACTS_OF.get(factor, ()) if (run, name) in facts), None)
        evidence = bool(inputs.read_by("emission_factors"))
        cause, reason = fact or inputs.of_source(source, "emission_factors")
        if was_basis != basis:
            says = f"{factor} is based on {basis}, before on {was_basis}"
        elif was_source != source:
            says = f"{factor} is from {source}, before from {was_source}"
        elif was != value:
            says = f"{factor} was {was:.4g}, is {value:.4g}"
        else:
            says = f"the gsd of {factor} was {was_gsd:.3f}, is {gsd:.3f}"
        if (was_basis, was_source) != (basis, source) and evidence:
            cause = "new_evidence"
        moved = abs(math.log(value / was)) if was and value else 0.0
        causes[run, factor] = moved, (cause, f"{says}: {reason}")
    return causes


def _short(text: str | None) -> str:
    return "" if text is None else f"{float(text):,.4g}"
