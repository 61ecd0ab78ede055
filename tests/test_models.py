"""Dependencies and column lineage are read from the SQL."""

from copy import deepcopy

import dagster as dg
import pytest

from ote import catalog, models


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


def test_a_query_that_does_not_parse_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot parse"):
        models.upstream_tables("select from where")


def test_layers_read_only_what_lies_before_them() -> None:
    for name, query in models.queries().items():
        layers = {table.split(".")[0] for table in models.upstream_tables(query)}
        assert layers <= ({"raw", "core"} if name.startswith("core.") else {"raw", "core", "support", "out"})


def test_lineage_of_a_result_ends_at_the_factors_and_the_published_figures() -> None:
    lineage = models.column_lineage("out.emissions").deps_by_column
    assert dg.TableColumnDep(dg.AssetKey(["out", "emission_factors"]), "value") in lineage["energy_mwh"]
    assert dg.TableColumnDep(dg.AssetKey(["core", "training_runs"]), "model") in lineage["model"]


def test_an_old_name_of_a_column_has_the_lineage_of_the_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    document = deepcopy(catalog.document())
    document["columns"]["draw_w"] = {"deprecated_for": "watts_per_chip", "since": "0.5.0"}
    document["tables"]["out.hardware_power"]["columns"].append("draw_w")
    monkeypatch.setattr(catalog, "document", lambda: document)
    catalog.tables.cache_clear()
    try:
        lineage = models.column_lineage("out.hardware_power").deps_by_column
        assert lineage["draw_w"] == lineage["watts_per_chip"]
    finally:
        catalog.tables.cache_clear()
