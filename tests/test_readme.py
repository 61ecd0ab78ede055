"""What the README tells people to paste works, on what a build leaves."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from pipelines import catalog
from tests.conftest import Build, ote
from tests.store import store

README = (catalog.ROOT / "README.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
BASE = "https://host/prefix"
QUERIES = [query for query in QUERIES if BASE not in query]
EXPECTED = ("MWh, ", "Llama 3.1 405B", "run_year", "t net", "watts_per_chip")


@pytest.mark.parametrize(("query", "shows"), zip(QUERIES, EXPECTED, strict=True), ids=EXPECTED)
def test_each_query_runs_as_pasted(build: Build, tmp_path: Path, query: str, shows: str) -> None:
    (tmp_path / "warehouse").symlink_to(build.directory)
    done = subprocess.run(
        [sys.executable, "-c", query], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert shows in done.stdout


def test_the_derivation_that_is_shown_is_the_one_that_is_printed(build: Build) -> None:
    (shown,) = re.findall(r"```text\n(.*?)```", README, flags=re.DOTALL)
    printed = ote("why", "gshard-600b", "--database", build.directory / "emissions.duckdb").stdout
    assert set(shown.splitlines()) - {"..."} <= set(printed.splitlines())


@pytest.fixture(scope="module")
def published(build: Build) -> Iterator[str]:
    """The releases of a build at an address, as one who publishes them has it."""
    with store(build.directory / "releases") as served:
        yield served.address


def elsewhere(language: str, published: str) -> str:
    """The block of a language for a published release, with the address of the server in it."""
    (block,) = (
        block
        for block in re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)
        if BASE in block and "ote " not in block
    )
    return str(block).replace(BASE, published)


@pytest.mark.parametrize(
    ("language", "tool", "command"),
    [
        ("sh", "curl", ["sh", "-euc"]),
        ("python", sys.executable, [sys.executable, "-c"]),
        ("js", "node", ["node", "--input-type=module", "-e"]),
        ("r", "Rscript", ["Rscript", "-e"]),
    ],
)
def test_a_published_release_is_read_without_this_tool(
    build: Build, published: str, tmp_path: Path, language: str, tool: str, command: list[str]
) -> None:
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed here")
    done = subprocess.run(
        [*command, elsewhere(language, published)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    ((total, header),) = build.query(
        "select sum(energy_mwh), (select string_agg(column_name, ',') from (describe hardware)) "
        "from emissions"
    )
    if language == "sh":
        got = (tmp_path / "emissions.csv").read_bytes()
        assert got == (build.release / "csv" / "emissions.csv").read_bytes()
    elif language == "js":
        assert done.stdout.strip() == header
    else:
        sums = [float(word) for word in done.stdout.split() if word[0].isdigit()]
        assert sums
        assert sums == pytest.approx([total] * len(sums))


PASTED = """
import sys, duckdb
con = duckdb.connect(config={"extension_directory": sys.argv[1]})
print(con.execute(sys.argv[2]).fetchall())
"""


def test_duckdb_reads_a_published_release(build: Build, published: str, tmp_path: Path) -> None:
    """The lines as pasted, in the old client, beside which the extension lies; `install` finds it there."""
    client = Path(sys.prefix) / "apart"
    if not (extensions := list(client.glob("duckdb_extension_httpfs/extensions/*/*"))):
        pytest.skip("DuckDB's extension httpfs comes as a package for Linux on x86-64 only")
    for platform in ("linux_amd64", "linux_amd64_gcc4"):
        folder = tmp_path / extensions[0].parent.name / platform
        folder.mkdir(parents=True)
        shutil.copy(extensions[0], folder)
    query = elsewhere("sql", published).replace("VERSION", quote(build.release.name))
    done = subprocess.run(
        [sys.executable, "-c", PASTED, str(tmp_path), query],
        env=os.environ | {"PYTHONPATH": str(client)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    largest = build.query("select model, energy_mwh from emissions order by energy_mwh desc, model limit 5")
    assert done.stdout.strip() == str(largest)


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
