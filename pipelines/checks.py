"""The blocking checks of every table: what catalog.yaml promises, and the relations below sql/checks.

Great Expectations runs them by SQL in the working database, once per table. A relation is one query
that returns the rows which break it; the comment on top of its file is its reason, and loosening one
is a change of claim. Does not belong here: what to do with a failure (warehouse.require_validated).
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import dagster as dg

from pipelines import catalog
from pipelines.models import SQL
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
        _relation(path.stem, path.read_text(encoding="utf-8"))
        for path in sorted((SQL / "checks" / layer / stem).glob("*.sql"))
    )


def _relation(name: str, text: str) -> Relation:
    lines = text.splitlines()
    reason = [line for line in lines if line.startswith("--")]
    return Relation(
        name=name,
        why=" ".join(line.removeprefix("--").strip() for line in reason),
        query="\n".join(line for line in lines if not line.startswith("--")),
    )


@cache
def fingerprints() -> dict[str, str]:
    """What each table must have passed: a checksum of its catalog entry and relations."""
    return {
        name: hashlib.sha256(
            json.dumps([asdict(table), [asdict(r) for r in relations(name)]], default=str).encode()
        ).hexdigest()
        for name, table in catalog.tables().items()
    }


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
    ]
    for column in table.columns:
        promised += _column_expectations(column, meta)
    for column_name, target in table.references.items():
        promised.append(
            gxe.UnexpectedRowsExpectation(
                unexpected_rows_query=f'select "{column_name}" from {{batch}} where "{column_name}" is not null '
                f'and "{column_name}" not in (select known."{column_name}" from {target} as known)',
                meta=meta(f"Every {column_name} must exist in {target}."),
            )
        )
    for relation in relations(table.name):
        promised.append(
            gxe.UnexpectedRowsExpectation(
                unexpected_rows_query=relation.query, meta=meta(relation.why, relation.name)
            )
        )
    return promised


def _unique(table: catalog.Table, meta: dict[str, str]) -> "gxe.Expectation":
    import great_expectations.expectations as gxe

    if len(table.key) > 1:
        return gxe.ExpectCompoundColumnsToBeUnique(column_list=list(table.key), meta=meta)
    return gxe.ExpectColumnValuesToBeUnique(column=table.key[0], meta=meta)


def _column_expectations(column: catalog.Column, meta: Any) -> Iterator["gxe.Expectation"]:
    import great_expectations.expectations as gxe

    name = column.name
    yield gxe.ExpectColumnValuesToBeOfType(
        column=name, type_=column.type.upper(), meta=meta("As catalog.yaml types it.")
    )
    if column.required:
        yield gxe.ExpectColumnValuesToNotBeNull(column=name, meta=meta(column.description))
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
    """Run every expectation of a table, and record the outcome for this version of it."""
    import great_expectations as gx

    asset = _datasource(warehouse).add_table_asset(
        table.name, table_name=table.stem, schema_name=table.layer
    )
    batch = asset.add_batch_definition_whole_table("all").get_batch()
    suite = gx.ExpectationSuite(name=table.name, expectations=expectations(table))
    outcome = batch.validate(suite, result_format="SUMMARY")
    results = [_result(item) for item in outcome.results]
    _record(warehouse, table, results)
    return results


def _result(item: Any) -> Result:
    config, found = item.expectation_config, item.result
    raised = "" if item.success else _exception(item.exception_info)
    details = found.get("details", {}).get("unexpected_rows", [])
    examples = found.get("partial_unexpected_list") or details
    return Result(
        check_name=config.meta["check"],
        expectation=config.type,
        column_name=config.kwargs.get("column"),
        why=config.meta["why"],
        success=bool(item.success),
        observed=raised or str(found.get("observed_value", "")),
        unexpected_count=int(found.get("unexpected_count") or len(details)),
        examples=json.dumps(examples[:EXAMPLES], default=str) if examples else "",
    )


def _exception(info: dict[str, Any]) -> str:
    """The message of what Great Expectations caught while computing, if it did."""
    entries = [info, *(entry for entry in info.values() if isinstance(entry, dict))]
    return "; ".join(str(e["exception_message"]) for e in entries if e.get("raised_exception"))


def _record(warehouse: Warehouse, table: catalog.Table, results: list[Result]) -> None:
    connection = warehouse.connection
    connection.execute("begin")
    connection.execute("delete from build.results where name = ?", [table.name])
    connection.executemany(
        "insert into build.results values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [[table.name, *asdict(result).values()] for result in results],
    )
    connection.execute(
        "insert or replace into build.validations "
        "select name, version, ?, ? from build.tables where name = ?",
        [fingerprints()[table.name], all(result.success for result in results), table.name],
    )
    connection.execute("commit")


def table_checks(table: catalog.Table) -> dg.AssetChecksDefinition:
    """The blocking checks of one table: its catalog entry, and each of its relations."""
    key = dg.AssetKey(table.name.split("."))
    reasons = {CATALOG_CHECK: "Columns, types, key, nulls, ranges and values as in catalog.yaml."}
    reasons |= {relation.name: relation.why for relation in relations(table.name)}

    @dg.multi_asset_check(
        name=f"check_{table.layer}_{table.stem}",
        specs=[
            dg.AssetCheckSpec(name, asset=key, blocking=True, description=why)
            for name, why in reasons.items()
        ],
    )
    def checks(warehouse: Warehouse) -> Iterator[dg.AssetCheckResult]:
        results = validate(warehouse, table)
        for name in reasons:
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
