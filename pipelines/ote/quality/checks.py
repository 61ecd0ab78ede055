"""The blocking checks of every table: decide on it, keep the outcome, report it to Dagster.

A table is checked once per content. Great Expectations decides on every published table, and on every other
of which plain SQL finds a row that breaks a promise. Does not belong here: what is promised (promises.py),
how it is run (plain_sql.py, gx_checks.py), or what to do with a failure (warehouse.require_validated).
"""

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from ote import catalog
from ote.quality import plain_sql
from ote.quality.promises import CATALOG_CHECK, Result, promises, reads, relations
from ote.warehouse import Warehouse

LONGEST = 300  # characters of a row in a message


def fingerprint(table: catalog.Table, versions: dict[str, str]) -> str:
    """What a table must have passed: its catalog entry and relations, on these versions of other tables."""
    claims = [
        repr(table),
        repr(relations(table.name)),
        repr([versions.get(other) for other in reads(table)]),
        _code(),
    ]
    return hashlib.sha256("\n".join(claims).encode()).hexdigest()


@cache
def _code() -> str:
    """What runs the checks: this folder, and the version of Great Expectations."""
    modules = sorted(Path(__file__).parent.glob("*.py"))
    texts = [module.read_text(encoding="utf-8") for module in modules]
    return "\n".join([*texts, installed_version("great-expectations")])


def fingerprints(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The fingerprint of every table by name."""
    versions = _versions(connection)
    return {name: fingerprint(table, versions) for name, table in catalog.tables().items()}


def _versions(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(connection.execute("select name, version from state.tables").fetchall())


def validate(warehouse: Warehouse, table: catalog.Table) -> list[Result]:
    """The outcome of every expectation of a table: run, unless this very content passed them before."""
    suite = fingerprint(table, _versions(warehouse.connection))
    known = warehouse.connection.execute(
        "select v.passed from state.validations as v inner join state.tables as t "
        "on v.name = t.name and v.version = t.version where v.name = ? and v.suite = ?",
        [table.name, suite],
    ).fetchall()
    if known == [(True,)]:
        return _recorded(warehouse.connection, table)
    results = _run(warehouse, table)
    _record(warehouse, table, results, suite)
    return results


def _recorded(connection: duckdb.DuckDBPyConnection, table: catalog.Table) -> list[Result]:
    rows = connection.execute(
        "select check_name, expectation, column_name, why, success, observed, unexpected_count, examples "
        "from state.results where name = ? order by rowid",
        [table.name],
    ).fetchall()
    return [Result(*row) for row in rows]


def _run(warehouse: Warehouse, table: catalog.Table) -> list[Result]:
    """Decide on a table; on any doubt Great Expectations runs every promise alone and reports rows."""
    seen = _observed(warehouse.connection, table)
    if _is_sound(warehouse, table):
        return [promise.kept(seen) for promise in promises(table)]
    from ote.quality import gx_checks

    return gx_checks.results(warehouse, table, seen)


def _is_sound(warehouse: Warehouse, table: catalog.Table) -> bool:
    if table.is_published:
        from ote.quality import gx_checks  # seconds of imports, which an unchanged table does not need

        return gx_checks.passes(warehouse, table)
    try:
        return not any(count for _, count in plain_sql.counts(warehouse.connection, table))
    except duckdb.Error:  # Great Expectations reports it as the failure of the promise that met it
        return False


def _observed(connection: duckdb.DuckDBPyConnection, table: catalog.Table) -> dict[str, str]:
    """What each column holds, in words; the rows under the empty name."""
    present = connection.table(table.name).columns
    columns = [column for column in table.columns if column.name in present]
    measures = [
        f'count("{c.name}"), cast(min("{c.name}") as varchar), cast(max("{c.name}") as varchar)'
        for c in columns
    ]
    query = f"select {', '.join(['count(*)', *measures])} from {table.name}"
    rows, *values = connection.execute(query).fetchall()[0]
    seen = {"": f"{rows} rows"}
    for i, column in enumerate(columns):
        count, low, high = values[3 * i : 3 * i + 3]
        span = f"{low} to {high}, " if column.type in ("double", "bigint", "date") and count else ""
        seen[column.name] = f"{span}{rows - count} of {rows} null"
    return seen


def _record(warehouse: Warehouse, table: catalog.Table, results: list[Result], suite: str) -> None:
    connection = warehouse.connection
    connection.execute("begin")
    connection.execute("delete from state.results where name = ?", [table.name])
    rows = [[table.name, *vars(result).values()] for result in results]
    places = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?)"] * len(rows))
    connection.execute(f"insert into state.results values {places}", [cell for row in rows for cell in row])
    connection.execute(
        "insert or replace into state.validations "
        "select name, version, ?, ? from state.tables where name = ?",
        [suite, all(result.success for result in results), table.name],
    )
    connection.execute("commit")


def table_checks(table: catalog.Table) -> dg.AssetChecksDefinition:
    """The blocking checks of one table: its catalog entry, and each of its relations."""
    key = dg.AssetKey(table.name.split("."))
    reasons = {CATALOG_CHECK: "Columns, types, key, nulls, ranges and values as in catalog.yaml."}
    reasons |= {relation.name: relation.why for relation in relations(table.name)}
    beside = reads(table)

    @dg.multi_asset_check(
        name=f"check_{table.layer}_{table.stem}",
        can_subset=True,
        specs=[
            dg.AssetCheckSpec(
                name,
                asset=key,
                blocking=True,
                description=why,
                additional_deps=[dg.AssetKey(other.split(".")) for other in beside],
            )
            for name, why in reasons.items()
        ],
    )
    def checks(context: dg.AssetCheckExecutionContext, warehouse: Warehouse) -> Iterator[dg.AssetCheckResult]:
        results = validate(warehouse, table)
        for name in reasons:
            if dg.AssetCheckKey(key, name) in context.selected_asset_check_keys:
                yield _check_result(table, key, name, [r for r in results if r.check_name == name])

    return checks


def _check_result(
    table: catalog.Table, key: dg.AssetKey, name: str, results: list[Result]
) -> dg.AssetCheckResult:
    failed = [result for result in results if not result.success]
    metadata: dict[str, Any] = {"expectations": len(results), "failed": len(failed)}
    if failed:
        metadata["what failed"] = dg.MetadataValue.md("\n\n".join(sentence(table, r) for r in failed))
    return dg.AssetCheckResult(
        asset_key=key, check_name=name, passed=bool(results) and not failed, metadata=metadata
    )


def sentence(table: catalog.Table, result: Result) -> str:
    """What failed, in a line: the column with its limits, the reason, how many rows, and one of them."""
    column = next((column for column in table.columns if column.name == result.column_name), None)
    if not column:
        what = ""
    elif result.expectation == "expect_column_values_to_be_in_set":
        what = f"{column.name}, expected one of {', '.join(column.values)}: "
    elif result.expectation == "expect_column_values_to_be_between":
        low, high = (None if end is None else f"{end:g}" for end in (column.min, column.max))
        limits = f"{low} to {high}" if low and high else f"{low} or more" if low else f"{high} or less"
        what = f"{column.name}, expected {limits}: "
    else:
        what = f"{column.name}: "
    if not result.unexpected_count:  # of the table as a whole, or the check itself failed
        return f"{what}{result.why} Seen: {result.observed}"
    first = f", e.g. {_row(json.loads(result.examples)[0])}" if result.examples else ""
    return f"{what}{result.why} Rows that fail: {result.unexpected_count}{first}"


def _row(example: Any) -> str:
    """A row that fails, or a value."""
    if not isinstance(example, dict):
        return str(example)
    return ", ".join(f"{name} = {value}" for name, value in example.items())[:LONGEST]


def all_checks() -> list[dg.AssetChecksDefinition]:
    """The checks of every table in the catalog."""
    return [table_checks(table) for table in catalog.tables().values()]
