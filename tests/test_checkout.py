"""What a build is made from: the commit, what is not committed, and that only a commit makes a release."""

import json
import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest

from ote import catalog, checkout
from ote.releases import publishing
from ote.releases import release as releasing
from ote.warehouse import connect
from tests.conftest import Build, Edited, checked_out, commit, git, process, releases, with_git


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of its own, with one commit."""
    monkeypatch.delenv("GIT_DIR")
    root = tmp_path / "checkout"
    (root / "sql").mkdir(parents=True)
    (root / "sql" / "a.sql").write_text("select 1")
    (root / "README.md").write_text("read me")
    commit(root)
    return root


def test_a_commit_is_named_and_only_what_makes_a_release_counts(folder: Path, tmp_path: Path) -> None:
    head = git(folder, "rev-parse", "HEAD").strip()
    (folder / "README.md").write_text("changed")
    assert checkout.state(folder) == checkout.Checkout(head)
    (folder / "sql" / "a.sql").write_text("select 2")
    (folder / "warehouse" / "reference").mkdir(parents=True)
    (folder / "warehouse" / "reference" / "new.csv").write_text("a")
    assert checkout.state(folder).uncommitted == ("sql/a.sql", "warehouse/reference/new.csv")
    assert checkout.state(folder / "sql").commit is None  # inside another repository
    commit(folder)
    other = Path(shutil.copytree(folder / "warehouse" / "reference", tmp_path / "other"))
    assert checkout.state(folder, other).uncommitted == ()
    (other / "new.csv").write_text("b")
    stated = (f"warehouse/reference/new.csv as in {other}",)
    assert checkout.state(folder, other).uncommitted == stated
    (other / "new.csv").unlink()
    assert checkout.state(folder, other).uncommitted == stated
    accepted = tmp_path / "accepted"
    (folder / "warehouse" / "baseline").mkdir()
    (folder / "warehouse" / "baseline" / "a.csv").write_text("a")
    assert checkout.state(folder).uncommitted == ("warehouse/baseline/a.csv",)
    commit(folder)
    shutil.copytree(folder / "warehouse" / "baseline", accepted)
    assert checkout.state(folder, baseline=accepted).uncommitted == ()
    (accepted / "a.csv").write_text("b")
    stated = (f"warehouse/baseline/a.csv as in {accepted}",)
    assert checkout.state(folder, baseline=accepted).uncommitted == stated
    shutil.rmtree(folder / ".git")
    assert checkout.state(folder) == checkout.Checkout(None)


def test_a_shallow_clone_names_its_commit_and_says_which_commit_it_lacks(
    folder: Path, tmp_path: Path
) -> None:
    first = checkout.state(folder)
    (folder / "sql" / "a.sql").write_text("select 2")
    head, shallow = commit(folder), tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{folder}", "shallow")
    assert checkout.state(shallow) == checkout.Checkout(head)
    assert checkout.changed_since(checkout.Checkout(head), shallow) == ""
    said = checkout.changed_since(first, shallow)
    assert said == f"the tables were built from commit {first.commit}, which is not in this checkout"


@pytest.fixture
def here(tmp_path: Path, copy: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of this very code, with a build of its one commit and no release of it yet."""
    monkeypatch.delenv("GIT_DIR")
    root = checked_out(tmp_path / "here")
    built_from(copy, commit(root))
    shutil.rmtree(copy / "releases")
    return root


def built_from(warehouse: Path, head: str | None, *uncommitted: str) -> None:
    """Let a build say that it was made from a commit."""
    stated = json.dumps({"commit": head, "uncommitted": uncommitted})
    with duckdb.connect(str(warehouse / "build.duckdb")) as connection:
        connection.execute("update state.tables set made_from = ?", [stated])


def release(folder: Path, warehouse: Path) -> subprocess.CompletedProcess[str]:
    """`ote release` of the code in a checkout, whose record stays as it is."""
    released = warehouse.parent / "released"
    options = ("release", "make", "--warehouse", warehouse, "--released", released)
    return process(*options, cwd=folder, env=with_git())


def test_a_release_names_the_commit_that_was_built_and_is_refused_when_it_is_no_longer_the_present(
    copy: Path, here: Path
) -> None:
    head = git(here, "rev-parse", "HEAD").strip()
    facts = here / "warehouse" / "reference" / "training_runs.csv"
    facts.write_text(facts.read_text().replace("Table", "Tab.", 1))
    commit(here)
    done = release(here, copy)
    assert done.returncode == 1
    changed = "and since then warehouse/reference/training_runs.csv changed. Build again: ote build"
    assert f"the tables were built from commit {head}, {changed}" in done.stderr
    git(here, "reset", "--quiet", "--hard", head)

    built_from(copy, head, "sql/out/method.sql")
    done = release(here, copy)
    assert done.returncode == 1
    assert "not committed when it was built were sql/out/method.sql" in done.stderr
    assert "ote build" in done.stderr
    assert releases(copy) == []
    for made, words in (
        (None, "the tables were built in a folder without a commit"),
        ("0" * 40, f"built from commit {'0' * 40}, which is not in this checkout"),
    ):
        assert words in checkout.changed_since(checkout.Checkout(made), here)

    built_from(copy, head)
    (here / "README.md").write_text("What makes no release may change.")
    commit(here)
    done = release(here, copy)
    assert done.returncode == 0, done.stderr
    (written,) = releases(copy)
    assert json.loads((written / "manifest.json").read_text())["commit"] == head


def test_tables_of_several_commits_make_no_release(copy: Path, here: Path) -> None:
    with duckdb.connect(str(copy / "build.duckdb")) as connection:
        stated = json.dumps({"commit": "another", "uncommitted": []})
        connection.execute("update state.tables set made_from = ? where name = 'out.method'", [stated])
    done = release(here, copy)
    assert done.returncode == 1
    assert "the tables were not all built from the same commit" in done.stderr


def test_what_is_not_committed_is_a_draft_and_no_release(edited: Edited, build: Build) -> None:
    """A query, the facts and the accepted rows, each edited."""
    assert releases(edited.warehouse) == [edited.warehouse / "releases" / build.release.name]
    uncommitted = json.loads((edited.draft / "manifest.json").read_text())["uncommitted"]
    assert [name.split(" as in ")[0] for name in uncommitted] == [
        "sql/out/paper_claims.sql",
        "warehouse/baseline/google_region_carbon.csv",
        "warehouse/reference/training_runs.csv",
    ]
    assert f"for a release commit 3 files: {', '.join(uncommitted)}" in edited.said
    with pytest.raises(
        publishing.NotPublishedError, match=r"draft: not committed are sql/out/paper_claims\.sql"
    ):
        publishing.publish(edited.draft, str(edited.warehouse / "public"))


def test_accepted_rows_that_were_edited_by_hand_are_reported_and_published_as_edited(edited: Edited) -> None:
    stated = "google_region_carbon: its rows were edited since `ote update` wrote them."
    assert edited.said.splitlines().count(stated) == 1
    edits = edited.query("select title from sources where status = 'edited'")
    assert edits == [(catalog.sources()["google_region_carbon"].title,)]


def test_a_query_edited_after_the_build_makes_no_release(copy: Path, here: Path) -> None:
    query = here / "sql" / "out" / "paper_claims.sql"
    query.write_text("-- Another comment.\n" + query.read_text())
    done = release(here, copy)
    assert done.returncode == 1
    assert "not committed are sql/out/paper_claims.sql" in done.stderr
    built_from(copy, commit(here))
    done = release(here, copy)
    assert done.returncode == 1
    assert "out.paper_claims was built by other code than the present" in done.stderr


def test_a_draft_of_the_same_content_names_what_is_not_committed_now(copy: Path) -> None:
    """And where git says nothing, as in a source archive. Once all is committed, there is a release of it."""
    shutil.rmtree(copy / "releases")
    unknown = "its commit is unknown, because git cannot read the folder that it was built in"
    states = {checkout.Checkout("a", ("CITATION.cff",)): "", checkout.Checkout(None): unknown}
    with connect(copy / "build.duckdb") as connection:
        for state, why in states.items():
            draft = releasing.write(connection, copy, state, copy / "released")
            stated = json.loads((draft / "manifest.json").read_text())
            assert (stated["commit"], stated["uncommitted"]) == (state.commit, [*state.uncommitted])
            assert stated["draft"] == why
            assert [folder.name for folder in (copy / "drafts").iterdir()] == [draft.name]
        assert releases(copy) == []
        written = releasing.write(connection, copy, checkout.Checkout("c"), copy / "released")
    manifest = json.loads((written / "manifest.json").read_text())
    assert (manifest["commit"], manifest["uncommitted"]) == ("c", [])
    assert releases(copy) == [written]
    assert written.name == catalog.dataset().version


def test_without_git_it_is_said_that_nothing_can_be_compared(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = checkout.state(folder)
    assert checkout.changed_since(made, folder) == ""
    monkeypatch.setenv("PATH", "")
    assert "git is missing" in checkout.changed_since(made, folder)
    assert checkout.uncommitted(folder) == []
