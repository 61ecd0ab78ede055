"""What a build is made from: the commit, what is not committed, and that only a commit makes a release."""

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from pipelines import catalog, checkout
from pipelines.releases import publishing
from pipelines.releases.release_files import FILE_FACTS
from tests.conftest import OTE, Build, releases


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of its own, with one commit."""
    monkeypatch.delenv("GIT_DIR")
    root = tmp_path / "checkout"
    (root / "sql").mkdir(parents=True)
    (root / "sql" / "a.sql").write_text("select 1")
    (root / "README.md").write_text("read me")
    git(root, "init", "--quiet")
    commit(root)
    return root


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def commit(root: Path) -> str:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "change")
    return git(root, "rev-parse", "HEAD").strip()


def test_a_commit_is_named_and_only_what_makes_a_release_counts(folder: Path) -> None:
    head = git(folder, "rev-parse", "HEAD").strip()
    (folder / "README.md").write_text("changed")
    assert checkout.state(folder) == checkout.Checkout(head)
    (folder / "sql" / "a.sql").write_text("select 2")
    (folder / "warehouse" / "reference").mkdir(parents=True)
    (folder / "warehouse" / "reference" / "new.csv").write_text("a")
    assert checkout.state(folder).uncommitted == ("sql/a.sql", "warehouse/reference/new.csv")
    assert checkout.state(folder / "sql").commit is None  # inside another repository
    shutil.rmtree(folder / ".git")
    assert checkout.state(folder) == checkout.Checkout(None)


def test_what_is_not_committed_is_a_draft_and_no_release(
    build: Build, copy: Path, folder: Path, tmp_path: Path
) -> None:
    """In a checkout of this very code, on a build that its tables follow from."""
    ignore = shutil.ignore_patterns("__pycache__")
    for name in checkout.MAKES_RELEASES:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        source = catalog.ROOT / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=ignore, dirs_exist_ok=True)
        else:
            shutil.copy(source, target)
    (folder / ".gitignore").write_text("__pycache__")
    head = commit(folder)
    shutil.rmtree(copy / "releases")
    (copy / "published.json").unlink(missing_ok=True)

    def ote(*command: str) -> subprocess.CompletedProcess[str]:
        arguments = [*OTE, *command, "--warehouse", str(copy)]
        return subprocess.run(
            arguments, cwd=folder, env=os.environ, capture_output=True, text=True, check=False
        )

    done = ote("release")
    assert done.returncode == 0, done.stderr
    (release,) = releases(copy)
    assert json.loads((release / "manifest.json").read_text())["commit"] == head

    query = folder / "sql" / "out" / "paper_claims.sql"
    query.write_text(query.read_text().replace("select", "-- Another comment.\nselect", 1))
    done = ote("release")
    assert done.returncode == 1
    assert "not committed are sql/out/paper_claims.sql" in done.stderr
    private = dict.fromkeys(FILE_FACTS, "") | {"source": "gsf_cloud_regions", "file": "a.csv", "sha256": "0"}
    told = {"commit": head, "source_files": [private]}
    with zipfile.ZipFile(folder / "inputs.zip", "w") as archive:
        archive.writestr("manifest.json", json.dumps(told))
    done = ote("build", "--inputs", str(folder / "inputs.zip"))
    assert done.returncode == 1
    assert f"built from commit {head}, which this checkout is not at" in done.stdout
    assert "a.csv may not be republished and is not in inputs.zip" in done.stderr
    done = ote("build")
    assert done.returncode == 0, done.stderr
    assert "for a release commit sql/out/paper_claims.sql" in done.stdout
    assert releases(copy) == [release]
    (draft,) = (copy / "drafts").iterdir()
    assert json.loads((draft / "manifest.json").read_text())["uncommitted"] == ["sql/out/paper_claims.sql"]
    with pytest.raises(
        publishing.NotPublishedError, match=r"draft: not committed are sql/out/paper_claims\.sql"
    ):
        publishing.publish(draft, str(folder / "public"))

    git(folder, "checkout", "--quiet", ".")
    done = ote("release")
    assert done.returncode == 1
    assert "out.paper_claims was built by other code than the present" in done.stderr
