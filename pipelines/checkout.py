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
from pathlib import Path

from pipelines.catalog import ROOT

FACTS = "warehouse/reference"
# What a release depends on.
MAKES_RELEASES = (
    "CITATION.cff", "catalog.yaml", "pipelines", "pyproject.toml", "requirements.txt", "sql", FACTS,
)  # fmt: skip


@dataclass(frozen=True)
class Checkout:
    """A commit, and the files that differ from it; without a commit where this is no checkout of git."""

    commit: str | None
    uncommitted: tuple[str, ...] = ()


def state(root: Path = ROOT, reference: Path | None = None) -> Checkout:
    """The state of a folder: a source archive, and a folder inside another repository, have no commit.

    Args:
        root: the folder.
        reference: the folder of the curated facts; where they are not the checkout's, no commit has them.

    Raises:
        subprocess.CalledProcessError: it is a checkout, but git cannot read it.
    """
    if shutil.which("git") is None or _git(root, "rev-parse", "--show-prefix", check=False) != "\n":
        return Checkout(None)
    commit = _git(root, "rev-parse", "HEAD").strip()
    changed = _git(root, "status", "--porcelain", "--untracked-files=all", "--", *MAKES_RELEASES)
    uncommitted = [line[3:] for line in changed.splitlines()]
    return Checkout(commit, tuple(sorted([*uncommitted, *_differing_facts(root, reference or root / FACTS)])))


def _differing_facts(root: Path, reference: Path) -> list[str]:
    """The curated files of a checkout that another folder has otherwise."""
    return [
        f"{FACTS}/{file.name} as --reference has it"
        for file in (root / FACTS).glob("*.csv")
        if not (reference / file.name).exists() or not filecmp.cmp(file, reference / file.name, shallow=False)
    ]


def changed_since(made: Checkout, root: Path = ROOT) -> str:
    """How what makes a release differs from a commit that tables were made from; empty if it does not."""
    here = state(root)
    if here.commit == made.commit and not here.uncommitted:
        return ""
    if made.commit is None:
        return "the tables were built where there is no commit"
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
    paths = [path for part in ("sources", "ingestion") for path in (ROOT / "pipelines" / part).iterdir()]
    files = sorted(path for path in paths if path.suffix in (".py", ".csv"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


@cache
def made_by(table: str) -> str:
    """Checksum of the code that makes a table: its query with the macros, or all that reads sources."""
    query = ROOT / "sql" / f"{table.replace('.', '/')}.sql"
    if not query.exists():
        return reading_sha256()
    return hashlib.sha256((ROOT / "sql" / "macros.sql").read_bytes() + query.read_bytes()).hexdigest()
