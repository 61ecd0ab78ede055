"""README and docs: what they say to run works, links lead somewhere, what is written elsewhere is the same.

A code block is run as it stands; one that cannot be run here says why in a comment before it.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from ote import catalog
from ote.documentation import pages
from ote.releases import publishing
from tests.conftest import Build
from tests.store import store

ROOT = catalog.ROOT
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.S | re.M
)
LOG = ROOT / "tests" / "logs" / "codecarbon_3.3.2.csv"
LONGEST = 35  # words of a sentence
NOT_PROSE = ("|", "#", "<", "!", "[", "    ")  # how tables, headings, comments, pictures and code begin
ADDRESS = "ADDRESS"  # stands for where a release is published
FACTOR_PAGES = {
    "chip_hours": "chip-hours.md",
    "watts_per_chip": "power.md",
    "pue": "pue.md",
    "gross_kg_per_kwh": "grid.md",
    "net_kg_per_kwh": "grid.md",
    "accelerator_kg_per_chip": "embodied-and-water.md",
    "host_kg_per_chip": "embodied-and-water.md",
    "busy_hours": "embodied-and-water.md",
    "overhead_ratio": "embodied-and-water.md",
    "wue_l_per_kwh": "embodied-and-water.md",
    "grid_water_l_per_kwh": "embodied-and-water.md",
}
# Blocks that show or write, rather than run, anything; `make` is tested in .ci/run.
SHOWN = {"", "text", "yaml"}


@dataclass(frozen=True)
class Block:
    """A code block of a page, and why it is not run, if it is not."""

    page: Path
    language: str
    text: str
    reason: str | None

    def __str__(self) -> str:
        """Where it is, for the name of a test."""
        return f"{self.page.name}:{self.text.strip().splitlines()[0][:40]}"


def blocks(*languages: str) -> list[Block]:
    """The blocks of all pages that are to be run."""
    found = (
        Block(page, match["language"], match["text"], match["reason"])
        for page in PAGES
        for match in BLOCK.finditer(page.read_text(encoding="utf-8"))
    )
    return [block for block in found if block.language in languages and not block.reason]


@pytest.fixture
def folder(build: Build, tmp_path: Path) -> Path:
    """A folder with a warehouse, the commands and a log, as a reader has it after `make dataset`."""
    (tmp_path / "warehouse").symlink_to(build.directory)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    program = "from ote.cli import run; run()"
    command = tmp_path / ".venv" / "bin" / "ote"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c "{program}" "$@"\n')
    command.chmod(0o755)
    shutil.copy(LOG, tmp_path / "emissions.csv")
    return tmp_path


@pytest.fixture(scope="module")
def published(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The release of a build at an address, as one who publishes it has it."""
    folder = tmp_path_factory.mktemp("published")
    publishing.publish(build.release, str(folder))
    with store(folder) as served:
        yield served.address


def run(command: list[str], folder: Path, **more: str) -> str:
    """What a program prints, in a folder."""
    environment = os.environ | {
        "OTE_DATABASE": str(folder / "warehouse" / "emissions.duckdb"),
        "PYTHONPATH": str(ROOT / "pipelines"),
        **more,
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("block", [block for block in blocks("sh") if ADDRESS not in block.text], ids=str)
def test_commands_run_as_pasted(block: Block, folder: Path) -> None:
    """All but `make`, which builds: its two targets are what .ci/run runs."""
    lines = [line for line in block.text.splitlines() if not line.startswith("make ")]
    if not any(lines):
        return
    assert run(["bash", "-euo", "pipefail", "-c", "\n".join(lines)], folder)


@pytest.mark.parametrize("block", [block for block in blocks("python") if ADDRESS not in block.text], ids=str)
def test_python_runs_as_pasted(block: Block, folder: Path) -> None:
    assert run([sys.executable, "-c", block.text], folder).strip()


def test_every_query_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)  # where the paths of the guides begin
    queries = [block.text for block in blocks("sql") if ADDRESS not in block.text]
    assert len(queries) >= 6
    with duckdb.connect("warehouse/emissions.duckdb", read_only=True) as connection:
        for query in queries:
            assert connection.execute(query).fetchall(), query


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
    for block in [block for block in blocks(language) if ADDRESS in block.text]:
        done = subprocess.run(
            [*command, block.text.replace(ADDRESS, published)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        if language == "sh":
            got = (tmp_path / "emissions.csv").read_bytes()
            assert got == (build.release / "csv" / "emissions.csv").read_bytes()
        elif language == "js":
            names = build.query("select string_agg(column_name, ',') from (describe hardware)")
            assert done.stdout.strip() == names[0][0]
        else:
            ((largest,),) = build.query(
                "select max(energy_mwh) from emissions "
                "where covers = 'one_run' and energy_shared_with is null"
            )
            assert float(done.stdout.split()[-1]) == pytest.approx(largest, rel=1e-6)


PASTED = """
import sys, duckdb
con = duckdb.connect(config={"extension_directory": sys.argv[1]})
print(con.execute(sys.argv[2]).fetchall())
"""


def test_duckdb_reads_a_published_release(build: Build, published: str, tmp_path: Path) -> None:
    """The lines as pasted, in the old client, which comes with the extension; `install` finds it there."""
    client = Path(sys.prefix) / "apart"
    if not (extensions := list(client.glob("duckdb_extension_httpfs/extensions/*/*"))):
        pytest.skip("DuckDB's extension httpfs comes as a package for Linux on x86-64 only")
    for platform in ("linux_amd64", "linux_amd64_gcc4"):
        target = tmp_path / extensions[0].parent.name / platform
        target.mkdir(parents=True)
        shutil.copy(extensions[0], target)
    (block,) = (block for block in blocks("sql") if ADDRESS in block.text)
    query = block.text.replace(ADDRESS, published)
    printed = run([sys.executable, "-c", PASTED, str(tmp_path), query], tmp_path, PYTHONPATH=str(client))
    largest = build.query(
        "select model, energy_mwh from emissions where covers = 'one_run' "
        "order by energy_mwh desc, model limit 5"
    )
    assert printed.strip() == str(largest)


def test_every_block_is_run_or_says_why_not() -> None:
    languages = {
        match["language"]
        for page in PAGES
        for match in BLOCK.finditer(page.read_text(encoding="utf-8"))
        if not match["reason"]
    }
    assert languages <= {"sh", "python", "sql", "js", "r"} | SHOWN
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert len(re.findall(r"^```", text, flags=re.M)) == 2 * len(BLOCK.findall(text)), page


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file of the checkout, a heading or an address; not to a host that stands for another."""
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, heading = link.partition("#")
        if path.startswith("http"):
            assert not re.search(r"://host|example\.", path), link
            continue
        target = page.parent / path if path else page
        assert target.exists(), link
        if heading:
            assert heading in headings(target), link


def headings(page: Path) -> set[str]:
    """The names of the headings of a page, as links have them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_what_is_written_elsewhere_is_up_to_date(build: Build) -> None:
    """Figures of the README, the glossary and the commands; `make docs` writes them."""
    with duckdb.connect(str(build.directory / "emissions.duckdb"), read_only=True) as connection:
        written = pages.pages(ROOT, connection)
    old = [path.name for path, text in written.items() if path.read_text(encoding="utf-8") != text]
    assert not old, f"{', '.join(old)}: not what the build says. Run make docs, and commit the result."


def test_every_public_table_is_in_the_guide() -> None:
    text = (ROOT / "docs" / "use-the-data.md").read_text(encoding="utf-8").split("## The tables")[1]
    named = {
        name for row in re.findall(r"^\| (.+?) \|", text, flags=re.M) for name in re.findall(r"`(\w+)`", row)
    }
    assert named == {table.stem for table in catalog.public_tables()}


def test_every_basis_is_on_the_page_of_its_factor_and_in_the_glossary(build: Build) -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    for factor, basis in build.query("select factor, basis from method where fallback_rank is not null"):
        page = (ROOT / "docs" / "method" / FACTOR_PAGES[factor]).read_text(encoding="utf-8")
        assert f"`{basis}`" in page, (factor, basis)
        assert f"`{basis}`" in glossary or factor not in pages.FACTORS, (factor, basis)


@pytest.mark.parametrize(
    "file", sorted((ROOT / "tests" / "queries").glob("*.sql")), ids=lambda file: file.stem
)
def test_queries_of_earlier_releases_still_run(build: Build, file: Path) -> None:
    statements = duckdb.extract_statements(file.read_text(encoding="utf-8"))
    assert len(statements) >= 10
    with duckdb.connect(str(build.directory / "emissions.duckdb"), read_only=True) as connection:
        for statement in statements:
            assert connection.execute(statement).fetchall(), statement.query


def sentences(text: str) -> Iterator[str]:
    """The sentences of the prose of a page; what is quoted as code is one word, a link its text."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", text):
        if not block.startswith(NOT_PROSE):
            prose = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", re.sub(r"`[^`]*`", "CODE", block))
            yield from re.split(r"(?<=[.!?:;])\**\s+", prose)


def test_a_sentence_can_be_read_at_once() -> None:
    texts = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
    texts |= {
        f"catalog.yaml: {table.name}.{column.name}": column.description
        for table in catalog.public_tables()
        for column in table.columns
    }
    assert not [
        (where, sentence)
        for where, text in texts.items()
        for sentence in sentences(text)
        if len(sentence.split()) > LONGEST
    ]
