"""What the README tells people to paste works, on what a build leaves."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import catalog
from tests.conftest import Build

README = (catalog.ROOT / "README.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
EXPECTED = ("Llama 3.1 405B", "run_year", "t net", "watts_per_chip")


@pytest.mark.parametrize(("query", "shows"), zip(QUERIES, EXPECTED, strict=True), ids=EXPECTED)
def test_each_query_runs_as_pasted(build: Build, tmp_path: Path, query: str, shows: str) -> None:
    (tmp_path / "warehouse").symlink_to(build.directory)
    done = subprocess.run(
        [sys.executable, "-c", query], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert shows in done.stdout


def test_the_readme_lists_every_public_table() -> None:
    named = set(re.findall(r"`([a-z_]+)`", README.split("## The tables")[1].split("## How it is made")[0]))
    assert {table.stem for table in catalog.public_tables()} <= named


def test_every_rung_of_the_readme_is_one_of_the_method(build: Build) -> None:
    table = README.split("| factor | found as")[1].split("- **Intervals.**")[0]
    told = {
        (factor, basis)
        for factor, rungs in re.findall(r"^\| `([a-z_]+)` \| (.*) \|$", table, flags=re.MULTILINE)
        for basis in re.findall(r"`([a-z_]+)`", rungs)
    }
    assert told == set(build.query("select factor, basis from method where rung is not null"))
