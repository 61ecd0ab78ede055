"""Run the promises of a table with Great Expectations, by SQL in the working database.

Importing it costs seconds, so checks.py does so only when a table has to be decided on. Does not belong
here: what is promised (promises.py), or when Great Expectations is asked (checks.py).
"""

import json
import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import duckdb
import great_expectations as gx
from duckdb_sqlalchemy import ConnectionWrapper
from great_expectations.expectations.registry import get_expectation_impl

from ote import catalog
from ote.quality import gx_duckdb
from ote.quality.promises import CATALOG_CHECK, ROWS, Promise, Result, promises
from ote.warehouse import Warehouse

EXAMPLES = 5  # rows of a failure that the report shows
TABLE_WIDE = ("expect_table_columns_to_match_ordered_list", "expect_table_row_count_to_be_between")

logging.getLogger("great_expectations").setLevel(logging.ERROR)  # it warns of its own internals


def passes(warehouse: Warehouse, table: catalog.Table) -> bool:
    """Whether a table keeps all its promises: its columns, its row count, and one query for all the rest.

    An expectation for each promise takes three times as long, and says no more of a sound table.
    """
    whole = [promise for promise in promises(table) if promise.expectation in TABLE_WIDE]
    outcome = _outcome(warehouse, table, [*whole, _together(table)], "BOOLEAN_ONLY")
    return all(item.success for item in outcome)


def results(warehouse: Warehouse, table: catalog.Table, seen: dict[str, str]) -> list[Result]:
    """The outcome of every promise, each an expectation; of one that fails, with its rows."""
    promised = promises(table)
    shown = {"result_format": "COMPLETE", "unexpected_index_column_names": list(table.key)}
    outcome = _outcome(warehouse, table, promised, shown)
    return [
        promise.kept(seen) if item.success else _failed(promise, item)
        for promise, item in zip(promised, outcome, strict=True)
    ]


def _together(table: catalog.Table) -> Promise:
    """All promises of a table but the table-wide as one: the rows that break any."""
    others = [promise for promise in promises(table) if promise.expectation not in TABLE_WIDE]
    by_row = " or ".join(promise.breaks for promise in others if promise.breaks)
    queries = [f"select 1 from {{batch}} where {by_row}"]
    queries += [f"select 1 from ({promise.query})" for promise in others if not promise.breaks]
    return Promise(
        expectation=ROWS,
        arguments={},
        why="Every row keeps what catalog.yaml and sql/checks promise.",
        check=CATALOG_CHECK,
        query=" union all ".join(queries),
    )


def _outcome(
    warehouse: Warehouse, table: catalog.Table, promised: Sequence[Promise], result_format: Any
) -> list[Any]:
    """What Great Expectations says of each promise, in their order."""
    datasource = _datasource(warehouse.connection, warehouse.cursor)
    asset = datasource.add_table_asset(table.name, table_name=table.stem, schema_name=table.layer)
    try:
        batch = asset.get_batch(asset.build_batch_request())
        # Results come in an order of their own, so each expectation carries its place in meta.
        expectations = [_expectation(promise, place) for place, promise in enumerate(promised)]
        suite = gx.ExpectationSuite(name=table.name, expectations=expectations)
        found = batch.validate(suite, result_format=result_format).results
    finally:
        datasource.delete_asset(table.name)
    return sorted(found, key=lambda item: int(item.expectation_config.meta["place"]))


def _expectation(promise: Promise, place: int) -> Any:
    query = {"unexpected_rows_query": promise.query} if promise.expectation == ROWS else {}
    return get_expectation_impl(promise.expectation)(**promise.arguments, **query, meta={"place": place})


@lru_cache(maxsize=1)
def _datasource(connection: duckdb.DuckDBPyConnection, cursor: Callable[[], Any]) -> Any:
    """Great Expectations on the open working database, once for each connection to it."""
    gx_duckdb.register()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    # It would write its settings as YAML before and after each table, to keep them nowhere.
    context._save_project_config = lambda: None
    return context.data_sources.add_sql(
        "working_database",
        connection_string="duckdb+buffered://",
        create_temp_table=False,
        kwargs={"creator": lambda: ConnectionWrapper(cursor())},
    )


def _failed(promise: Promise, item: Any) -> Result:
    found = item.result
    rows: list[Any] = (
        found.get("details", {}).get("unexpected_rows")
        or found.get("unexpected_index_list")
        or found.get("partial_unexpected_list")
        or []
    )
    return Result(
        check_name=promise.check,
        expectation=promise.expectation,
        column_name=promise.column,
        why=promise.why,
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
