"""What a build is made from: the commit, what is not committed, and that only a commit makes a release."""

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import duckdb
import pytest

from pipelines import catalog, checkout
from pipelines.releases import publishing
from pipelines.releases import release as releasing
from pipelines.releases.release_files import FILE_FACTS
from pipelines.warehouse import connect
from tests.conftest import OTE, releases


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


def test_a_commit_is_named_and_only_what_makes_a_release_counts(folder: Path, tmp_path: Path) -> None:
    head = git(folder, "rev-parse", "HEAD").strip()
    (folder / "README.md").write_text("changed")
    assert checkout.state(folder) == checkout.Checkout(head)
    (folder / "sql" / "a.sql").write_text("select 2")
    (folder / "warehouse" / "reference").mkdir(parents=True)
    (folder / "warehouse" / "reference" / "new.csv").write_text("a")
    assert checkout.state(folder).uncommitted == ("sql/a.sql", "warehouse/reference/new.csv")
    assert checkout.state(folder / "sql").commit is None  # inside another repository
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "facts")
    other = Path(shutil.copytree(folder / "warehouse" / "reference", tmp_path / "other"))
    assert checkout.state(folder, other).uncommitted == ()
    (other / "new.csv").write_text("b")
    told = ("warehouse/reference/new.csv as --reference has it",)
    assert checkout.state(folder, other).uncommitted == told
    (other / "new.csv").unlink()
    assert checkout.state(folder, other).uncommitted == told
    shutil.rmtree(folder / ".git")
    assert checkout.state(folder) == checkout.Checkout(None)


@pytest.fixture
def checked_out(folder: Path, copy: Path) -> Path:
    """A checkout of this very code, with a build of its one commit and no release of it yet."""
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
    built_from(copy, commit(folder))
    shutil.rmtree(copy / "releases")
    (copy / "published.json").unlink(missing_ok=True)
    return folder


def built_from(warehouse: Path, head: str | None, *uncommitted: str) -> None:
    """Let a build say that it was made from a commit."""
    told = json.dumps({"commit": head, "uncommitted": uncommitted})
    with duckdb.connect(str(warehouse / "build.duckdb")) as connection:
        connection.execute("update state.tables set made_from = ?", [told])


def run(folder: Path, warehouse: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command of the code in a checkout."""
    arguments = [*OTE, *command, "--warehouse", str(warehouse)]
    return subprocess.run(arguments, cwd=folder, env=os.environ, capture_output=True, text=True, check=False)


def test_a_release_names_the_commit_that_was_built_and_is_refused_when_it_is_no_longer_the_present(
    copy: Path, checked_out: Path
) -> None:
    head = git(checked_out, "rev-parse", "HEAD").strip()
    facts = checked_out / "warehouse" / "reference" / "training_runs.csv"
    facts.write_text(facts.read_text().replace("Table", "Tab.", 1))
    commit(checked_out)
    done = run(checked_out, copy, "release")
    assert done.returncode == 1
    changed = "and since then warehouse/reference/training_runs.csv changed. Build again: ote build"
    assert f"the tables were built from commit {head}, {changed}" in done.stderr
    git(checked_out, "reset", "--quiet", "--hard", head)

    for made, words in (
        ((head, "sql/out/method.sql"), "not committed when it was built were sql/out/method.sql"),
        ((None,), "the tables were built where there is no commit"),
        (("0" * 40,), f"built from commit {'0' * 40}, which is not in this checkout"),
    ):
        built_from(copy, *made)
        done = run(checked_out, copy, "release")
        assert done.returncode == 1
        assert words in done.stderr
        assert "ote build" in done.stderr
    assert releases(copy) == []

    built_from(copy, head)
    (checked_out / "README.md").write_text("What makes no release may change.")
    commit(checked_out)
    done = run(checked_out, copy, "release")
    assert done.returncode == 0, done.stderr
    (release,) = releases(copy)
    assert json.loads((release / "manifest.json").read_text())["commit"] == head


def test_tables_of_several_commits_make_no_release(copy: Path, checked_out: Path) -> None:
    with duckdb.connect(str(copy / "build.duckdb")) as connection:
        told = json.dumps({"commit": "another", "uncommitted": []})
        connection.execute("update state.tables set made_from = ? where name = 'out.method'", [told])
    done = run(checked_out, copy, "release")
    assert done.returncode == 1
    assert "the tables were not all built from the same commit" in done.stderr


def test_what_is_not_committed_is_a_draft_and_no_release(copy: Path, checked_out: Path, facts: Path) -> None:
    folder = checked_out
    head = git(folder, "rev-parse", "HEAD").strip()

    def ote(*command: str) -> subprocess.CompletedProcess[str]:
        return run(folder, copy, *command)

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
    (facts / "training_runs.csv").write_text(
        (facts / "training_runs.csv").read_text().replace("Table", "Tab.", 1)
    )
    done = ote("build", "--reference", str(facts))
    assert done.returncode == 0, done.stderr
    uncommitted = ["sql/out/paper_claims.sql", "warehouse/reference/training_runs.csv as --reference has it"]
    assert f"for a release commit {', '.join(uncommitted)}" in done.stdout
    assert releases(copy) == [release]
    (draft,) = (copy / "drafts").iterdir()
    assert json.loads((draft / "manifest.json").read_text())["uncommitted"] == uncommitted
    with pytest.raises(
        publishing.NotPublishedError, match=r"draft: not committed are sql/out/paper_claims\.sql"
    ):
        publishing.publish(draft, str(folder / "public"))

    git(folder, "checkout", "--quiet", ".")
    done = ote("release")
    assert done.returncode == 1
    assert "out.paper_claims was built by other code than the present" in done.stderr


def test_a_draft_of_the_same_content_names_what_is_not_committed_now(copy: Path, checked_out: Path) -> None:
    """And once nothing is, there is a release of it."""
    both = ("CITATION.cff", "pyproject.toml")
    for name in both:
        (checked_out / name).write_text((checked_out / name).read_text() + "\n")
    with connect(copy / "build.duckdb") as connection:
        draft = releasing.write(connection, copy, checkout.state(checked_out))
    assert json.loads((draft / "manifest.json").read_text())["uncommitted"] == [*both]
    git(checked_out, "add", "pyproject.toml")
    git(checked_out, "commit", "--quiet", "--message", "project")
    done = run(checked_out, copy, "build")
    assert done.returncode == 0, done.stderr
    assert "for a release commit CITATION.cff\n" in done.stdout
    head = commit(checked_out)
    done = run(checked_out, copy, "build")
    assert done.returncode == 0, done.stderr
    (release,) = releases(copy)
    assert f"Release:  {release}" in done.stdout
    manifest = json.loads((release / "manifest.json").read_text())
    assert (manifest["commit"], manifest["uncommitted"]) == (head, [])
