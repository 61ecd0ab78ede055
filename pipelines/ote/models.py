"""One asset per table: of a raw table from files, else of an SQL file that has its name.

Dependencies come from the query itself, through DuckDB's parser, so no one lists them twice.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

import dagster as dg
import duckdb
import polars as pl
from sqlglot import exp
from sqlglot.lineage import Node, lineage
from sqlglot.schema import MappingSchema

from ote import catalog, checkout, sql_files
from ote.warehouse import Warehouse, distrusted_on_failure, replace_table, unchanged

OWNERS = ["team:open-training-emissions"]


# Tables that add up draws (sums.py), and what they read.
SUMS = ("out.emission_draws", "out.totals", "out.trends")
SUMMED = frozenset({"out.emission_factors", "out.emissions", "out.error_loads", "out.organisations"})

# Numbers that Dagster plots over the builds, by table. Only runs that overlap no other are summed.
RESULTS = {
    "out.emissions": """
        select
            count(*) as "runs with an estimate",
            count(*) filter (where is_disclosed) as "runs with disclosed chip-hours",
            round(sum(energy_mwh_mean order by run_id) filter (where is_disclosed))
                as "mean MWh of runs with disclosed chip-hours",
            round(sum(co2e_gross_t_mean order by run_id) filter (where is_disclosed))
                as "mean gross t of runs with disclosed chip-hours"
        from (
            select
                *,
                covers = 'one_run'
                and energy_shared_with is null
                and chip_hours_basis in ('disclosed', 'chips_x_hours') as is_disclosed
            from out.emissions
        )"""
}


@cache
def upstream_tables(query: str, path: Path = Path("query")) -> frozenset[str]:
    """Schema-qualified tables that a query reads, of a file, e.g. {"raw.hardware"}. CTEs do not count.

    Raises:
        QueryError: it cannot be parsed.
    """
    return frozenset(_tables_in(sql_files.tree(query, path)))


def above(name: str) -> frozenset[str]:
    """The tables that a model reads."""
    if name in SUMS:
        return SUMMED
    return upstream_tables(queries()[name], sql_files.path_of(name))


def _tables_in(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if node.get("type") == "BASE_TABLE" and node["schema_name"]:
            yield f"{node['schema_name']}.{node['table_name']}"
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _tables_in(child)


def column_schema(table: catalog.Table) -> dg.TableSchema:
    """Columns with type, description, unit and constraints, as Dagster shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.type,
                description=column.comment,
                constraints=dg.TableColumnConstraints(nullable=not column.required),
                tags={"unit": column.unit.replace(" ", "")} if column.unit.isidentifier() else None,
            )
            for column in table.columns
        ]
    )


def definition_metadata(table: catalog.Table, sources: list[str]) -> dict[str, Any]:
    """What is known of a table before it is built: columns, key and the files that it comes from."""
    return {
        "dagster/column_schema": column_schema(table),
        "dagster/table_name": f"emissions.{table.published_as}" if table.is_published else table.name,
        "key": ", ".join(table.key),
        "sources": ", ".join(sources),
    }


@cache
def queries() -> dict[str, str]:
    """The query of every model by table name."""
    return {
        f"{path.parent.name}.{path.stem}": path.read_text(encoding="utf-8")
        for layer in ("core", "support", "out")
        for path in sorted((sql_files.SQL / layer).glob("*.sql"))
    }


def code(name: str) -> str:
    """The text of what makes a model."""
    return "".join(file.read_text(encoding="utf-8") for file in checkout.code_of(name))


@cache
def _macros() -> dict[str, tuple[str, str]]:
    """The argument and the text of each macro that has one argument or none."""
    pattern = r"create or replace temp macro (\w+)\((\w*)\) as\n(.+?);\n"
    found = re.findall(pattern, sql_files.text("macros"), re.DOTALL)
    return {name: (argument, body) for name, argument, body in found}


def inlined(query: str) -> str:
    """A query as a view has it: our macros are written out where they are called with a column."""

    def written_out(call: re.Match[str]) -> str:
        argument, body = _macros()[call[1]]
        return re.sub(rf"\b{argument}\b", call[2], body) if argument else body

    return re.sub(rf"\b({'|'.join(_macros())})\(([\w.]*)\)", written_out, query)


@cache
def raw_sources(name: str) -> tuple[str, ...]:
    """The raw tables that a table rests on in the end."""
    if name.startswith("raw."):
        return (name,)
    return tuple(sorted({raw for table in above(name) for raw in raw_sources(table)}))


@cache
def method_of(name: str) -> tuple[str, ...]:
    """The models that a table is made by, itself among them."""
    if name.startswith("raw."):
        return ()
    return tuple(sorted({name, *(model for table in above(name) for model in method_of(table))}))


@cache
def _schema() -> MappingSchema:
    """The columns of all tables, as the search for the origin of a column takes them."""
    schema = MappingSchema(dialect="duckdb")
    for table in catalog.tables().values():
        columns = {column.name: column.type for column in table.columns}
        schema.add_table(table.name, columns)
    return schema


def column_lineage(name: str) -> dg.TableColumnLineage:
    """The columns, one table up, that each column of a model is made of."""
    nodes = lineage(None, queries()[name], schema=_schema(), dialect="duckdb", trim_selects=False)
    deps: dict[str, list[dg.TableColumnDep]] = {}
    for column in catalog.tables()[name].columns:
        node = nodes[column.deprecated_for or column.name]  # no query makes an old name
        found = {
            (leaf.expression.db, leaf.expression.name, leaf.name.split(".")[-1].strip('"'))
            for leaf in _leaves(node)
            if isinstance(leaf.expression, exp.Table) and leaf.expression.db
        }
        deps[column.name] = [
            dg.TableColumnDep(asset_key=dg.AssetKey([layer, stem]), column_name=source)
            for layer, stem, source in sorted(found)
        ]
    return dg.TableColumnLineage(deps_by_column=deps)


def _leaves(node: Node) -> Iterator[Node]:
    if not node.downstream:
        yield node
    for child in node.downstream:
        yield from _leaves(child)


def results(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, float]:
    """The numbers of a table that Dagster plots over the builds, with their names; none for most tables."""
    if name not in RESULTS:
        return {}
    found = connection.execute(RESULTS[name])
    labels = [str(column[0]) for column in found.description or []]
    return {
        label: value for label, value in zip(labels, found.fetchall()[0], strict=True) if value is not None
    }


def raw_asset(
    name: str,
    group: str,
    rows: Callable[[Path], pl.DataFrame],
    sources: list[str],
    deps: Iterable[dg.AssetKey] = (),
    folder: Literal["baseline", "reference", "released"] = "reference",
    **shown: str,
) -> dg.AssetsDefinition:
    """The asset of a raw table.

    Args:
        name: the table.
        group: `upstream` or `reference`.
        rows: reads them from that folder.
        sources: the files or pages that they come from.
        deps: the assets of those.
        folder: which folder of the warehouse they are in.
        shown: what Dagster shows beside the table's columns and sources.
    """
    table = catalog.tables()[name]

    @dg.asset(
        key=name.split("."),
        group_name=group,
        description=table.description,
        kinds={"csv", "polars", "duckdb"},
        owners=OWNERS,
        deps=deps,
        metadata=definition_metadata(table, sources) | shown,
    )
    def read(warehouse: Warehouse) -> dg.MaterializeResult[Any]:
        with distrusted_on_failure(warehouse.connection, name):
            return replace_table(warehouse.connection, name, rows(Path(getattr(warehouse, folder))))

    return read


def sql_asset(name: str, query: str) -> dg.AssetsDefinition:
    """The asset that runs one SQL file and stores its rows under the file's name."""
    table = catalog.tables()[name]
    upstream = above(name)

    @dg.asset(
        key=name.split("."),
        group_name=table.layer,
        deps=[dg.AssetKey(table.split(".")) for table in sorted(upstream)],
        description=table.description,
        kinds={"sql", "duckdb"},
        owners=OWNERS,
        code_version=query,
        metadata=definition_metadata(table, list(raw_sources(name))),
    )
    def model(warehouse: Warehouse) -> dg.MaterializeResult[Any]:
        with distrusted_on_failure(warehouse.connection, name):
            extra = {"dagster/column_lineage": column_lineage(name)} if table.is_published else {}
            made = unchanged(warehouse.connection, name, upstream)
            if not made:
                with sql_files.named(sql_files.path_of(name)):
                    made = replace_table(warehouse.connection, name, query, inputs=upstream)
            shown = {**(made.metadata or {}), **extra, **results(warehouse.connection, name)}
            return dg.MaterializeResult(metadata=shown, data_version=made.data_version)

    return model


def sql_assets() -> list[dg.AssetsDefinition]:
    """One asset for every file below sql/core, sql/support and sql/out."""
    return [sql_asset(name, query) for name, query in queries().items()]
