"""The checkout that a build runs from: its commit, what is not committed, and the code behind each table.

Belongs here: what git and the files say. Does not belong here: what follows from it (release.py,
warehouse.py).
"""

import filecmp
import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version as installed_version
from pathlib import Path

from ote import catalog, sql_files
from ote.places import CODE, ROOT

FACTS, BASELINE, RELEASED = "warehouse/reference", "warehouse/baseline", "warehouse/released"
# What a release depends on.
MAKES_RELEASES = (
    "catalog.yaml", "pipelines", "pyproject.toml", "requirements.txt", "sql", FACTS, BASELINE,
    RELEASED,
)  # fmt: skip


@dataclass(frozen=True)
class Checkout:
    """A commit, and the files that differ from it; without a commit where this is no checkout of git."""

    commit: str | None
    uncommitted: tuple[str, ...] = ()


def state(root: Path = ROOT, reference: Path | None = None, baseline: Path | None = None) -> Checkout:
    """The state of a folder. A source archive, and a folder inside another repository, have no commit.

    Args:
        root: the folder.
        reference: the folder of the curated facts; where they are not the checkout's, no commit has them.
        baseline: the same for the accepted rows of the upstreams.

    Raises:
        subprocess.CalledProcessError: it is a checkout, but git cannot read it.
    """
    top = f"{root.resolve()}\n"
    if shutil.which("git") is None or _git(root, "rev-parse", "--show-toplevel", check=False) != top:
        return Checkout(None)
    commit = _git(root, "rev-parse", "HEAD").strip()
    changed = _git(root, "status", "--porcelain", "--untracked-files=all", "--", *MAKES_RELEASES)
    uncommitted = [line[3:] for line in changed.splitlines()]
    elsewhere = [
        f"{place}/{name} as in {folder}"
        for place, folder in ((FACTS, reference), (BASELINE, baseline))
        if folder
        for name in _differing(root / place, folder)
    ]
    return Checkout(commit, tuple(sorted([*uncommitted, *elsewhere])))


def unusable(folder: Path) -> str:
    """Why nothing can be built in a folder, for whoever named it; empty if it can."""
    found = next((character for character in "?\\" if character in str(folder.resolve())), "")
    if not found:
        return ""
    why = f"DuckDB cannot write in a folder with {found} in its name"
    return f"{folder.resolve()}: {why}. Choose another folder"


def uncommitted(folder: Path) -> list[str]:
    """The files of a folder that differ from the commit of its repository; none outside of one."""
    if (
        shutil.which("git") is None
        or not folder.is_dir()
        or _git(folder, "rev-parse", "--is-inside-work-tree", check=False) != "true\n"
    ):
        return []
    return [line[3:] for line in _git(folder, "status", "--porcelain", "--", ".").splitlines()]


def _differing(here: Path, there: Path) -> list[str]:
    """The CSV files of a folder that another folder lacks, or has otherwise."""
    return [
        file.name
        for file in here.glob("*.csv")
        if not (there / file.name).exists() or not filecmp.cmp(file, there / file.name, shallow=False)
    ]


def changed_since(made: Checkout, root: Path = ROOT) -> str:
    """How what makes a release differs from a commit that tables were made from; empty if it does not."""
    here = state(root)
    if here.commit == made.commit and not here.uncommitted:
        return ""
    if made.commit is None:
        return "the tables were built in a folder without a commit"
    if shutil.which("git") is None:
        return f"the tables were built from commit {made.commit}, and git is missing, which would compare it"
    if here.commit is None or _git(root, "cat-file", "-t", made.commit, check=False) != "commit\n":
        return f"the tables were built from commit {made.commit}, which is not in this checkout"
    differing = _git(root, "diff", "--name-only", made.commit, "--", *MAKES_RELEASES).splitlines()
    if changed := sorted({*differing, *here.uncommitted}):
        return f"the tables were built from commit {made.commit}, and since then {', '.join(changed)} changed"
    return ""


def _git(root: Path, *arguments: str, check: bool = True) -> str:
    """What git prints; also in a folder that belongs to someone else, as in a container."""
    command = ["git", "-c", "safe.directory=*", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=check).stdout


@cache
def reading_sha256() -> str:
    """Checksum of the code that reads sources and facts, before any query does."""
    paths = [path for part in ("sources", "ingestion") for path in (CODE / part).iterdir()]
    files = sorted(path for path in paths if path.suffix in (".py", ".csv"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


@cache
def made_by(table: str) -> str:
    """Checksum of what makes a table: its columns in catalog.yaml, DuckDB, its query with the macros.

    Of a raw table all that reads sources, instead of a query.
    """
    entry = catalog.tables()[table]
    stated = repr((entry.key, entry.columns, installed_version("duckdb")))
    if table.startswith("raw."):
        made = [reading_sha256().encode()]
    else:
        made = [file.read_bytes() for file in (sql_files.path_of("macros"), *code_of(table))]
    return hashlib.sha256(b"".join([stated.encode(), *made])).hexdigest()


def code_of(table: str) -> list[Path]:
    """The files that make a table from others: its query, or what adds up draws."""
    query = sql_files.path_of(table)
    if query.exists():
        return [query]
    queries = sorted((sql_files.SQL / "totals").glob("*.sql"))
    return [*queries, CODE / "answers" / "totals.py", CODE / "sums.py"]
