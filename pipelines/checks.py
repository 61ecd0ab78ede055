"""The blocking checks of every table: what catalog.yaml promises, and the relations below sql/checks.

Great Expectations runs them by SQL in the working database, once per table. A relation is one query
that returns the rows which break it; the comment on top of its file is its reason, and loosening one
is a change of claim. Does not belong here: what to do with a failure (warehouse.require_validated).
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb

from pipelines import catalog
from pipelines.models import SQL, upstream_tables
from pipelines.warehouse import Warehouse

if TYPE_CHECKING:
    import great_expectations.expectations as gxe

CATALOG_CHECK = "keeps_its_catalog"
EXAMPLES = 5


@dataclass(frozen=True)
class Relation:
    """What must be true of a table beyond its single columns: a query that finds nothing."""

    name: str
    why: str
    query: str
    reads: tuple[str, ...]


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


@cache
def relations(name: str) -> tuple[Relation, ...]:
    """The relations of a table, from sql/checks/<layer>/<table>/."""
    layer, stem = name.split(".")
    return tuple(
        _relation(name, path.stem, path.read_text(encoding="utf-8"))
        for path in sorted((SQL / "checks" / layer / stem).glob("*.sql"))
    )


def _relation(table: str, name: str, text: str) -> Relation:
    reason = [line for line in text.splitlines() if line.startswith("--")]
    return Relation(
        name=name,
        why=" ".join(line.removeprefix("--").strip() for line in reason),
        # Great Expectations wraps the query, so a comment at its end would swallow the wrapping.
        query=re.sub(r"[ ]*--.*", "", text).strip(),
        reads=tuple(sorted(upstream_tables(text) - {table})),
    )


def reads(table: catalog.Table) -> tuple[str, ...]:
    """The other tables that the checks of a table look into."""
    beside = {name for relation in relations(table.name) for name in relation.reads}
    return tuple(sorted(beside | set(table.references.values()) - {table.name}))


def fingerprint(connection: duckdb.DuckDBPyConnection, table: catalog.Table) -> str:
    """What a table must have passed: its catalog entry and relations, on the present other tables."""
    versions = dict(connection.execute("select name, version from state.tables").fetchall())
    claims = [
        repr(table),
        repr(relations(table.name)),
        repr([versions.get(other) for other in reads(table)]),
        Path(__file__).read_text(encoding="utf-8"),
        installed_version("great-expectations"),
    ]
    return hashlib.sha256("\n".join(claims).encode()).hexdigest()


def fingerprints(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The fingerprint of every table by name."""
    return {name: fingerprint(connection, table) for name, table in catalog.tables().items()}


def expectations(table: catalog.Table) -> list["gxe.Expectation"]:
    """The expectations of a table, each with its check, its reason and its column in `meta`."""
    import great_expectations.expectations as gxe

    def meta(why: str, check: str = CATALOG_CHECK) -> dict[str, str]:
        return {"why": why, "check": check}

    promised: list[gxe.Expectation] = [
        gxe.ExpectTableColumnsToMatchOrderedList(
            column_list=[column.name for column in table.columns],
            meta=meta("Readers rely on the columns of catalog.yaml, in their order."),
        ),
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1, meta=meta("An empty table is a lost source, not a fact.")
        ),
        _unique(table, meta("Each row is one thing, and its key finds it.")),
        gxe.UnexpectedRowsExpectation(
            unexpected_rows_query=_wrong_types(table), meta=meta("Types are those of catalog.yaml.")
        ),
        gxe.UnexpectedRowsExpectation(
            unexpected_rows_query=_missing(table),
            meta=meta(f"Every row needs {', '.join(c.name for c in table.columns if c.required)}."),
        ),
    ]
    for column in table.columns:
        promised += _column_expectations(column, meta)
    for column_name, target in table.references.items():
        promised.append(
            gxe.UnexpectedRowsExpectation(
                unexpected_rows_query=f'select "{column_name}" from {{batch}} '
                f'where "{column_name}" is not null '
                f'and "{column_name}" not in (select known."{column_name}" from {target} as known)',
                meta=meta(f"Every {column_name} must exist in {target}."),
            )
        )
    for relation in relations(table.name):
        promised.append(
            gxe.UnexpectedRowsExpectation(
                unexpected_rows_query=_on_batch(relation.query, table),
                meta=meta(relation.why, relation.name),
            )
        )
    return promised


def _on_batch(query: str, table: catalog.Table) -> str:
    """The query with the table under its checks named as Great Expectations names it."""
    named = re.compile(rf"\b{table.layer}\.{table.stem}\b(?! as )")
    aliased = re.compile(rf"\b{table.layer}\.{table.stem}\b(?= as )")
    batch = "(select * from {batch})"  # which comes with an alias of its own
    return aliased.sub(batch, named.sub(f"{batch} as {table.stem}", query))


def _wrong_types(table: catalog.Table) -> str:
    """The columns whose type is not the catalog's: one query for all, where one each costs seconds."""
    promised = ", ".join(f"('{c.name}', '{c.type.upper()}')" for c in table.columns)
    return (
        "select column_name, data_type from duckdb_columns() "
        f"where schema_name = '{table.layer}' and table_name = '{table.stem}' "
        f"and (column_name, data_type) not in ({promised}) and exists (select 1 from {{batch}})"
    )


def _missing(table: catalog.Table) -> str:
    """The rows that lack a required column: one query for all, as for types."""
    required = [f'"{column.name}"' for column in table.columns if column.required]
    return (
        f"select {', '.join(required)} from {{batch}} "
        f"where {' or '.join(f'{column} is null' for column in required)}"
    )


def _unique(table: catalog.Table, meta: dict[str, str]) -> "gxe.Expectation":
    import great_expectations.expectations as gxe

    if len(table.key) > 1:
        return gxe.ExpectCompoundColumnsToBeUnique(column_list=list(table.key), meta=meta)
    return gxe.ExpectColumnValuesToBeUnique(column=table.key[0], meta=meta)


def _column_expectations(column: catalog.Column, meta: Any) -> Iterator["gxe.Expectation"]:
    import great_expectations.expectations as gxe

    name = column.name
    if column.min is not None or column.max is not None:
        why = column.why or f"{column.description} It cannot be less."
        yield gxe.ExpectColumnValuesToBeBetween(
            column=name, min_value=column.min, max_value=column.max, meta=meta(why)
        )
    if column.values:
        yield gxe.ExpectColumnValuesToBeInSet(
            column=name, value_set=list(column.values), meta=meta(column.description)
        )


@cache
def _datasource(warehouse: Warehouse) -> Any:
    """Great Expectations on the open working database, once per run."""
    import great_expectations as gx
    from duckdb_sqlalchemy import ConnectionWrapper

    from pipelines import gx_duckdb  # noqa: F401  registers duckdb+buffered

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return context.data_sources.add_sql(
        "working_database",
        connection_string="duckdb+buffered://",
        create_temp_table=False,
        kwargs={"creator": lambda: ConnectionWrapper(warehouse.cursor())},
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

    datasource = _datasource(warehouse)
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
                yield _check_result(key, name, [r for r in results if r.check_name == name])

    return checks


def _check_result(key: dg.AssetKey, name: str, results: list[Result]) -> dg.AssetCheckResult:
    failed = [result for result in results if not result.success]
    metadata: dict[str, Any] = {"expectations": len(results), "failed": len(failed)}
    if failed:
        metadata["what failed"] = dg.MetadataValue.md("\n\n".join(_sentence(r) for r in failed))
    return dg.AssetCheckResult(
        asset_key=key, check_name=name, passed=bool(results) and not failed, metadata=metadata
    )


def _sentence(result: Result) -> str:
    column = f" of {result.column_name}" if result.column_name else ""
    return (
        f"**{result.expectation}**{column}: {result.why} {result.unexpected_count} rows fail. "
        f"{result.observed} {result.examples}"
    )


def all_checks() -> list[dg.AssetChecksDefinition]:
    """The checks of every table in the catalog."""
    return [table_checks(table) for table in catalog.tables().values()]
