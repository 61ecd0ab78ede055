"""The register of ids after an update: what is added or changes, and what an older list may not change."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from ote import catalog
from ote.ingestion import curated
from ote.update import register as ids
from tests.conftest import fill

REGISTER = """upstream_name,run_id,published_date,source_url,name_status
Back,back,2023-01-01,https://example.org/back,former
Gone,gone,2023-01-01,https://example.org/gone,current
Moved,moved,2023-01-01,https://example.org/old,current
Same,same,2024-06-01,https://example.org/same,current
"""


def name(upstream: str, day: str, page: str, rule: str = "registered") -> dict[str, Any]:
    return {
        "upstream_name": upstream,
        "run_id": upstream.lower(),
        "identity_rule": rule,
        "published_date": date.fromisoformat(day),
        "source_url": f"https://example.org/{page}",
    }


LISTED = [
    name("Back", "2023-01-01", "back"),
    name("Moved", "2023-01-02", "new"),
    name("Other", "2022-01-01", "other", "new"),
]
NEWEST = name("Same", "2024-06-01", "same")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model_names.csv").write_text(REGISTER, encoding="utf-8")
    return tmp_path


def register(database: duckdb.DuckDBPyConnection, folder: Path, *listed: dict[str, Any]) -> ids.Register:
    """The register after an update to a list of models."""
    fill(database, "core.model_ids", list(listed))
    registered = curated.read(folder, catalog.tables()[ids.TABLE])
    return ids.register(registered, database.sql("from core.model_ids").pl())


def test_each_name_that_is_added_or_changes_is_reported_and_written(
    database: duckdb.DuckDBPyConnection, folder: Path
) -> None:
    found = register(database, folder, *LISTED, NEWEST)
    assert found.newest is None
    assert found.changes.rows() == [
        ("Other", "other", "new"),
        ("Back", "back", "current"),
        ("Gone", "gone", "former"),
        ("Moved", "moved", "restated"),
    ]
    assert found.rows.write_csv().splitlines()[1:] == [
        "Back,back,2023-01-01,https://example.org/back,current",
        "Gone,gone,2023-01-01,https://example.org/gone,former",
        "Moved,moved,2023-01-02,https://example.org/new,current",
        "Other,other,2022-01-01,https://example.org/other,current",
        "Same,same,2024-06-01,https://example.org/same,current",
    ]
    found.rows.write_csv(folder / "model_names.csv")
    again = register(database, folder, *LISTED, NEWEST)
    assert again.changes.is_empty()
    assert again.rows.equals(found.rows)


def test_an_older_list_only_adds_names(database: duckdb.DuckDBPyConnection, folder: Path) -> None:
    found = register(database, folder, *LISTED)
    assert found.newest == date(2024, 6, 1)
    assert found.changes.rows() == [("Other", "other", "new")]
    added = "Other,other,2022-01-01,https://example.org/other,former\n"
    assert found.rows.write_csv() == REGISTER.replace("Same,", f"{added}Same,")


def many(count: int) -> tuple[pl.DataFrame, list[dict[str, Any]]]:
    """A register of some names, a month each from 2020 on, and the list that it was made from."""
    listed = [name(f"Model {i:02}", f"{2020 + i // 12}-{i % 12 + 1:02}-01", f"{i}") for i in range(count)]
    register = pl.DataFrame(listed).drop("identity_rule").with_columns(name_status=pl.lit("current"))
    return register, listed


@pytest.mark.parametrize("day", ["2024-01-01", "2026-11-01"])
def test_late_new_names_do_not_make_an_older_list_new(database: duckdb.DuckDBPyConnection, day: str) -> None:
    """Two such names once turned 52 real ones into former ones."""
    registered, listed = many(48)
    late = [name("Late", day, "late", "new"), name("Later", day, "later", "new")]
    fill(database, "core.model_ids", [*listed[:38], *late])
    found = ids.register(registered, database.sql("from core.model_ids").pl())
    assert found.newest == date(2023, 12, 1)
    assert found.changes.rows() == [("Late", "late", "new"), ("Later", "later", "new")]
    assert found.rows["name_status"].unique().to_list() == ["current"]


@pytest.mark.parametrize("gone", [[47], [46, 47], [*range(0, 43, 7), 45]])
def test_single_names_that_are_gone_are_former_also_among_the_newest(
    database: duckdb.DuckDBPyConnection, gone: list[int]
) -> None:
    registered, listed = many(48)
    new = name("New", "2024-01-01", "new", "new")
    fill(database, "core.model_ids", [*(row for i, row in enumerate(listed) if i not in gone), new])
    found = ids.register(registered, database.sql("from core.model_ids").pl())
    former = found.rows.filter(name_status="former")["upstream_name"].to_list()
    assert former == [f"Model {i:02}" for i in gone]
