"""The pages of the method: links lead somewhere, queries run, and every rung is told."""

import re
from pathlib import Path

import duckdb
import pytest

from pipelines.catalog import ROOT
from tests.conftest import Build

PAGES = sorted((ROOT / "docs").rglob("*.md"))
FACTOR_PAGES = {
    "chip_hours": "chip-hours.md",
    "watts_per_chip": "power.md",
    "pue": "pue.md",
    "gross_kg_per_kwh": "grid.md",
    "net_kg_per_kwh": "grid.md",
    "accelerator_kg_per_chip": "embodied-and-water.md",
    "host_kg_per_chip": "embodied-and-water.md",
    "busy_hours": "embodied-and-water.md",
    "wue_l_per_kwh": "embodied-and-water.md",
    "grid_water_l_per_kwh": "embodied-and-water.md",
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert target.startswith("http") or (page.parent / target).exists(), target


def test_every_query_runs(build: Build) -> None:
    queries = [
        query
        for page in PAGES
        for query in re.findall(r"```sql\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    ]
    assert len(queries) >= 6
    with duckdb.connect(str(build.directory / "emissions.duckdb"), read_only=True) as connection:
        for query in queries:
            assert connection.execute(query).fetchall(), query


def test_every_rung_is_told_on_the_page_of_its_factor(build: Build) -> None:
    for factor, basis in build.query("select factor, basis from method where rung is not null"):
        page = (ROOT / "docs" / "method" / FACTOR_PAGES[factor]).read_text(encoding="utf-8")
        assert f"`{basis}`" in page, (factor, basis)


@pytest.mark.parametrize(
    "file", sorted((ROOT / "tests" / "queries").glob("*.sql")), ids=lambda file: file.stem
)
def test_queries_of_earlier_releases_still_run(build: Build, file: Path) -> None:
    statements = duckdb.extract_statements(file.read_text(encoding="utf-8"))
    assert len(statements) >= 10
    with duckdb.connect(str(build.directory / "emissions.duckdb"), read_only=True) as connection:
        for statement in statements:
            assert connection.execute(statement).fetchall(), statement.query
