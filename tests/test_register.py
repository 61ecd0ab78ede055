"""The register of ids after an update: what is added or changes, and what an older list may not change."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import catalog
from pipelines.ingestion import curated
from pipelines.update import register as ids
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


def test_each_name_that_is_added_or_changes_is_told_and_written(
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
