"""`ote register`: what it changes of the register of ids, what it says, what an older list may not change."""

import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines import catalog
from pipelines.warehouse import connect
from tests.conftest import OTE, fill, ote, without_privilege

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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A register, and an empty folder to build in."""
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "model_names.csv").write_text(REGISTER, encoding="utf-8")
    (tmp_path / "warehouse").mkdir()
    return tmp_path


def build(folder: Path, *names: dict[str, Any]) -> list[str]:
    """Let the names of a list be those of the last build; the command that registers them."""
    with connect(folder / "warehouse" / "build.duckdb") as connection:
        fill(connection, "core.model_ids", list(names))
    return ["register", "--warehouse", str(folder / "warehouse"), "--reference", str(folder / "reference")]


def register(folder: Path) -> str:
    return (folder / "reference" / "model_names.csv").read_text(encoding="utf-8")


def test_it_says_each_name_that_it_adds_or_changes(folder: Path) -> None:
    command = build(folder, *LISTED, name("Same", "2024-06-01", "same"))
    done = ote(*command)
    assert done.returncode == 0, done.stderr
    for line in (
        "new      other: Other",
        "former   gone: Gone",
        "current  back: Back",
        "restated moved: Moved",
    ):
        assert line in done.stdout.splitlines()
    assert "same: Same" not in done.stdout
    assert "1 names added" in done.stdout
    assert "1 names are former now" in done.stdout
    assert "1 are current again; 1 have another day or address" in done.stdout
    assert register(folder).splitlines()[1:] == [
        "Back,back,2023-01-01,https://example.org/back,current",
        "Gone,gone,2023-01-01,https://example.org/gone,former",
        "Moved,moved,2023-01-02,https://example.org/new,current",
        "Other,other,2022-01-01,https://example.org/other,current",
        "Same,same,2024-06-01,https://example.org/same,current",
    ]
    written = register(folder)
    assert "0 names added" in ote(*command).stdout
    assert register(folder) == written


def test_an_older_list_only_adds_names(folder: Path) -> None:
    done = ote(*build(folder, *LISTED))
    assert done.returncode == 0, done.stderr
    assert "is older than the register, which has models up to 2024-06-01" in done.stdout
    assert "new      other: Other" in done.stdout
    assert "Gone" not in done.stdout
    added = "Other,other,2022-01-01,https://example.org/other,former\n"
    assert register(folder) == REGISTER.replace("Same,", f"{added}Same,")


def test_a_register_that_cannot_be_written_is_named_in_one_line(folder: Path) -> None:
    command = build(folder, *LISTED)
    (folder / "reference").chmod(0o555)
    done = subprocess.run(
        [*without_privilege(), *OTE, *command], cwd=catalog.ROOT, capture_output=True, text=True, check=False
    )
    (folder / "reference").chmod(0o755)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Nothing was registered: {folder / 'reference' / 'model_names.'}")
    assert done.stderr.count("\n") == 1
    assert register(folder) == REGISTER
