"""The blocking checks of every table: run its expectations, keep the outcome, tell Dagster.

Great Expectations runs them by SQL in the working database, once per table and content. Does not belong
here: what is expected (expectations.py), or what to do with a failure (warehouse.require_validated).
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from pipelines import catalog
from pipelines.quality import expectations as expectation_module
from pipelines.quality.expectations import CATALOG_CHECK, expectations, reads, relations
from pipelines.warehouse import Warehouse

EXAMPLES = 5
LONGEST = 300  # characters of a row in a message


@dataclass(frozen=True)
class Result:
    """The outcome of one expectation, as the report and the records keep it."""

    check_name: str
    expectation: str
    column_name: str | None
    why: str
    success: bool
    observed: str
    unexpected_count: int
    examples: str


def fingerprint(connection: duckdb.DuckDBPyConnection, table: catalog.Table) -> str:
    """What a table must have passed: its catalog entry and relations, on the present other tables."""
    versions = dict(connection.execute("select name, version from state.tables").fetchall())
    claims = [
        repr(table),
        repr(relations(table.name)),
        repr([versions.get(other) for other in reads(table)]),
        *(Path(module).read_text(encoding="utf-8") for module in (__file__, expectation_module.__file__)),
        installed_version("great-expectations"),
    ]
    return hashlib.sha256("\n".join(claims).encode()).hexdigest()


def fingerprints(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The fingerprint of every table by name."""
    return {name: fingerprint(connection, table) for name, table in catalog.tables().items()}


@lru_cache(maxsize=1)
def _datasource(connection: duckdb.DuckDBPyConnection, cursor: Callable[[], Any]) -> Any:
    """Great Expectations on the open working database, once for each connection to it."""
    import great_expectations as gx
    from duckdb_sqlalchemy import ConnectionWrapper

    from pipelines.quality import gx_duckdb

    gx_duckdb.register()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return context.data_sources.add_sql(
        "working_database",
        connection_string="duckdb+buffered://",
        create_temp_table=False,
        kwargs={"creator": lambda: ConnectionWrapper(cursor())},
    )


def validate(warehouse: Warehouse, table: catalog.Table) -> list[Result]:
    """The outcome of every expectation of a table: run, unless this very content passed them before."""
    known = warehouse.connection.execute(
        "select v.passed from state.validations as v inner join state.tables as t "
        "on v.name = t.name and v.version = t.version where v.name = ? and v.suite = ?",
        [table.name, fingerprint(warehouse.connection, table)],
    ).fetchall()
    if known == [(True,)]:
        return _recorded(warehouse.connection, table)
    results = _run(warehouse, table)
    _record(warehouse, table, results)
    return results


def _recorded(connection: duckdb.DuckDBPyConnection, table: catalog.Table) -> list[Result]:
    rows = connection.execute(
        "select check_name, expectation, column_name, why, success, observed, unexpected_count, examples "
        "from state.results where name = ? order by rowid",
        [table.name],
    ).fetchall()
    return [Result(*row) for row in rows]


def _run(warehouse: Warehouse, table: catalog.Table) -> list[Result]:
    """Run every expectation with Great Expectations, in the working database."""
    import great_expectations as gx

    datasource = _datasource(warehouse.connection, warehouse.cursor)
    asset = datasource.add_table_asset(table.name, table_name=table.stem, schema_name=table.layer)
    batch = asset.add_batch_definition_whole_table("all").get_batch()

    def run(promised: list[Any], result_format: Any) -> dict[int, Any]:
        # Results come in an order of their own, so each expectation carries its place in meta.
        suite = gx.ExpectationSuite(name=table.name, expectations=promised)
        outcome = batch.validate(suite, result_format=result_format).results
        return {item.expectation_config.meta["place"]: item for item in outcome}

    promised = expectations(table)
    for place, expectation in enumerate(promised):
        expectation.meta = {**(expectation.meta or {}), "place": place}
    first = run(promised, "BOOLEAN_ONLY")
    # Only what failed is asked for its rows: that halves the time of a sound build.
    failed = [expectation for place, expectation in enumerate(promised) if not first[place].success]
    rows = {"result_format": "COMPLETE", "unexpected_index_column_names": list(table.key)}
    second = run(failed, rows) if failed else {}
    seen = _observed(warehouse.connection, table)
    results = [
        _failed(second[place]) if place in second else _held(expectation, seen)
        for place, expectation in enumerate(promised)
    ]
    datasource.delete_asset(table.name)
    return results


def _observed(connection: duckdb.DuckDBPyConnection, table: catalog.Table) -> dict[str, str]:
    """What each column holds, in words; the rows under the empty name."""
    measures = ", ".join(
        f'count("{c.name}"), cast(min("{c.name}") as varchar), cast(max("{c.name}") as varchar)'
        for c in table.columns
    )
    rows, *values = connection.execute(f"select count(*), {measures} from {table.name}").fetchall()[0]
    seen = {"": f"{rows} rows"}
    for i, column in enumerate(table.columns):
        count, low, high = values[3 * i : 3 * i + 3]
        span = f"{low} to {high}, " if column.type in ("double", "bigint", "date") and count else ""
        seen[column.name] = f"{span}{rows - count} of {rows} null"
    return seen


def _held(expectation: Any, seen: dict[str, str]) -> Result:
    column = expectation.configuration.kwargs.get("column")
    return Result(
        check_name=expectation.meta["check"],
        expectation=expectation.configuration.type,
        column_name=column,
        why=expectation.meta["why"],
        success=True,
        observed=seen[column or ""],
        unexpected_count=0,
        examples="",
    )


def _failed(item: Any) -> Result:
    config, found = item.expectation_config, item.result
    rows: list[Any] = (
        found.get("details", {}).get("unexpected_rows")
        or found.get("unexpected_index_list")
        or found.get("partial_unexpected_list")
        or []
    )
    return Result(
        check_name=config.meta["check"],
        expectation=config.type,
        column_name=config.kwargs.get("column"),
        why=config.meta["why"],
        success=False,
        observed=_exception(item.exception_info) or str(found.get("observed_value", "")),
        unexpected_count=_count(found, len(rows)),
        examples=json.dumps(rows[:EXAMPLES], default=str) if rows else "",
    )


def _count(found: dict[str, Any], shown: int) -> int:
    """How many rows fail: by value for a column, by query for a relation, which shows 200 at most."""
    observed = found.get("observed_value")
    return int(found.get("unexpected_count") or (observed if shown and isinstance(observed, int) else shown))


def _exception(info: dict[str, Any]) -> str:
    """The message of what Great Expectations caught while computing, if it did."""
    entries = [info, *(entry for entry in info.values() if isinstance(entry, dict))]
    return "; ".join(str(e["exception_message"]) for e in entries if e.get("raised_exception"))


def _record(warehouse: Warehouse, table: catalog.Table, results: list[Result]) -> None:
    connection = warehouse.connection
    connection.execute("begin")
    connection.execute("delete from state.results where name = ?", [table.name])
    rows = [[table.name, *vars(result).values()] for result in results]
    places = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?)"] * len(rows))
    connection.execute(f"insert into state.results values {places}", [cell for row in rows for cell in row])
    connection.execute(
        "insert or replace into state.validations "
        "select name, version, ?, ? from state.tables where name = ?",
        [
            fingerprint(connection, table),
            all(result.success for result in results),
            table.name,
        ],
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
        ends = [f"{end:g}" for end in (column.min, column.max) if end is not None]
        what = f"{column.name}, expected {' to '.join(ends) if ends[1:] else f'{ends[0]} or more'}: "
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
