"""Dependencies and column lineage are read from the SQL."""

from pathlib import Path

import dagster as dg
import duckdb
import pytest

from ote import models, sql_files
from ote.warehouse import connect, replace_table, unchanged
from tests.conftest import Build


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("select a from raw.x inner join core.y using (a)", id="using"),
        pytest.param("with z as (select a from raw.x) select z.a from z, core.y as y", id="cte"),
        pytest.param("select a from raw.x where a in (select a from core.y)", id="subquery"),
        pytest.param("select a from raw.x union all select a from core.y", id="union"),
    ],
)
def test_qualified_tables_are_found_and_ctes_are_not(query: str) -> None:
    assert models.upstream_tables(query) == {"raw.x", "core.y"}


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("select a,\n    b\nfrom where", 'line 3: syntax error at or near "where".'),
        ("select 1 as a,\n    b", 'line 2: Binder Error: Referenced column "b" was not found'),
        (
            "with x as (select 1 as a)\n\nselect b\nfrom x",
            'line 3: Binder Error: Referenced column "b" not found',
        ),
        ("select 1\nfrom core.nothing", "line 2: Catalog Error: Table with name nothing does not exist"),
    ],
)
def test_a_query_that_cannot_run_is_named_by_file_and_line(
    query: str, says: str, database: duckdb.DuckDBPyConnection
) -> None:
    file = Path("core/x.sql")

    @sql_files.named(file)
    def build() -> None:
        models.upstream_tables(query, file)
        replace_table(database, "core.hardware", query)

    with pytest.raises(sql_files.QueryError) as refused:
        build()
    assert str(refused.value).startswith(f"core/x.sql, {says}")
    assert str(refused.value).endswith(" Correct the query.")
    assert "\n" not in str(refused.value)


def test_layers_read_only_what_lies_before_them() -> None:
    for name, query in models.queries().items():
        layers = {table.split(".")[0] for table in models.upstream_tables(query)}
        assert layers <= ({"raw", "core"} if name.startswith("core.") else {"raw", "core", "support", "out"})


def test_lineage_of_a_result_ends_at_the_factors_and_the_published_figures() -> None:
    lineage = models.column_lineage("out.emissions").deps_by_column
    assert dg.TableColumnDep(dg.AssetKey(["out", "emission_factors"]), "value") in lineage["energy_mwh"]
    assert dg.TableColumnDep(dg.AssetKey(["core", "training_runs"]), "model") in lineage["model"]


def test_only_what_reads_a_table_that_changed_is_made_again(build: Build, tmp_path: Path) -> None:
    database = tmp_path / "build.duckdb"
    database.write_bytes((build.directory / "build.duckdb").read_bytes())
    made = {name: models.above(name) for name in [*models.queries(), *models.SUMS]}
    with connect(database) as connection:
        connection.execute("set variable made_from = '{}'")

        def again() -> set[str]:
            return {name for name, above in made.items() if not unchanged(connection, name, above)}

        assert not again()
        connection.execute("update state.tables set version = 'other' where name = 'core.hardware'")
        assert again() == {name for name, above in made.items() if "core.hardware" in above}
        connection.execute("update state.tables set made_by = 'other' where name = 'core.hardware'")
        assert again() == {"core.hardware", *(name for name in made if "core.hardware" in made[name])}
