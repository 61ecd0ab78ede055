"""The way of a release from the tag to its readers: the steps of the workflow, then what readers do.

The build of the session stands for `make dataset`, stores of this machine for a bucket and a plain web host.
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from urllib.request import urlopen

import duckdb
import fsspec
import pandas as pd
import pytest
import yaml
from fsspec.implementations.http import HTTPFileSystem

from ote import catalog
from ote.releases import publishing, reading, release
from tests.conftest import Build, commit, git, ote, with_git
from tests.store import s3_store, store

STEPS: list[dict[str, Any]] = yaml.safe_load(
    (catalog.ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
)["jobs"]["release"]["steps"]
STANDS_FOR = {"make dataset", "make test"}  # the build of the session, and the session


def checkout(folder: Path, build: Build) -> Path:
    """A commit of a release with its record, tagged, as the workflow checks it out and builds it."""
    (folder / "warehouse" / "released").mkdir(parents=True)
    shutil.copy(build.release / "record.json", folder / "warehouse" / "released")
    shutil.copytree(build.directory / "releases", folder / "warehouse" / "releases", symlinks=True)
    command = folder / ".venv" / "bin" / "ote"
    command.parent.mkdir(parents=True)
    program = "from ote.cli import run; run()"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c "{program}" "$@"\n')
    command.chmod(0o755)
    (folder / ".gitignore").write_text(".venv\nwarehouse/releases\n")
    commit(folder)
    git(folder, "tag", f"v{build.release.name}")
    return folder


def released(folder: Path, target: str, environment: dict[str, str], pages: str = "") -> list[str]:
    """Run the steps of the workflow that are shell, in order; the names of those that ran.

    pages: an option of `ote release publish`.
    """
    tag = git(folder, "describe", "--tags", "--exact-match").strip()
    ran = []
    for step in STEPS:
        if "run" not in step or step["run"] in STANDS_FOR:
            continue
        given = {
            "OTE_PUBLISH_TARGET": target,
            "GITHUB_REF_NAME": tag,
            "GITHUB_OUTPUT": str(folder / "output"),
        }
        given |= {
            "OTE_RELEASES": str(folder / "warehouse" / "releases"),
            "PYTHONPATH": str(catalog.ROOT / "pipelines"),
        }
        done = subprocess.run(
            [
                "bash",
                "-e",
                "-c",
                step["run"].replace('"$OTE_PUBLISH_TARGET"', f'"$OTE_PUBLISH_TARGET" {pages}'),
            ],
            cwd=folder,
            env=with_git() | given | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (step, done.stdout, done.stderr)
        ran.append(step.get("name", step["run"]))
    return ran


def links(page: str) -> list[str]:
    """Where the first links of a page lead, that stay in the site."""
    found = {re.split("[#?]", link)[0] for link in re.findall(r'(?:href|src)="([^":]+)"', page)} - {""}
    return sorted(found)[:40]


def some_pages(site: Path, folder: Path) -> Path:
    """The first page and those that it leads to: each of 4,000 is a request to an S3 store."""
    first = (site / "index.html").read_text(encoding="utf-8")
    for name in ("index.html", *(link for link in links(first) if not link.startswith("../"))):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(site / name, folder / name)
    return folder


@pytest.fixture(scope="module", params=["s3", "web"])
def hosted(
    request: pytest.FixtureRequest, build: Build, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of what was released to an S3 store, or to the folder of a web server."""
    if not shutil.which("jq"):
        pytest.skip("no jq here; .ci/run installs it")
    folder = tmp_path_factory.mktemp(request.param)
    work = checkout(folder / "checkout", build)
    if request.param == "s3":
        with s3_store("public") as (address, environment), pytest.MonkeyPatch.context() as given:
            ran = released(work, "s3://public/emissions", environment, "--no-pages")
            assert [name.split()[0] for name in ran] == ["See", "See", ".venv/bin/ote", "Publish"]
            assert (work / "output").read_text() == f"version={build.release.name}\n"
            for name, value in environment.items():
                given.setenv(name, value)
            fsspec.get_filesystem_class("s3").clear_instance_cache()  # and the credentials of other tests
            publishing.put_site(
                some_pages(build.directory / "site", folder / "site"), "s3://public/emissions"
            )
            yield f"{address}/public/emissions"
        return
    (folder / "www").mkdir()
    released(work, str(folder / "www"), {})
    with store(folder / "www") as served:
        yield served.address


def text(address: str) -> str:
    with urlopen(address) as answer:
        return str(answer.read().decode())


def names(address: str) -> list[str]:
    """The files of a release, by its checksums."""
    return sorted(reading.parse_sums(text(f"{address}/latest/{reading.SUMS}").encode(), address))


def test_latest_is_the_release_file_by_file(hosted: str, build: Build) -> None:
    assert names(hosted) == sorted(release.checksums(build.release))
    for name in (*names(hosted), reading.SUMS):
        packed = {"client_kwargs": {"auto_decompress": False}} if hosted.startswith("http") else {}
        with fsspec.open(f"{hosted}/latest/{name}", **packed) as file:
            assert file.read() == (build.release / name).read_bytes(), name
    index = json.loads(text(f"{hosted}/index.json"))
    assert index["latest"] == build.release.name
    assert text(f"{hosted}/{index['latest_path']}/{reading.SUMS}") == text(f"{hosted}/latest/{reading.SUMS}")


def test_pandas_reads_every_csv_by_its_address_with_no_cell_lost(hosted: str, build: Build) -> None:
    """As the guide says, so that the country code of Namibia stays text."""
    guide = (catalog.ROOT / "docs" / "use-the-data.md").read_text(encoding="utf-8")
    (options,) = re.findall(r"pd\.read_csv\([^,]+, (keep_default_na=\w+, na_values=\[.*?\])\)", guide)
    assert options == 'keep_default_na=False, na_values=[""]'
    namibias = 0
    for name in [name for name in names(hosted) if name.startswith("csv/")]:
        frame = pd.read_csv(f"{hosted}/latest/{name}", keep_default_na=False, na_values=[""])
        table = Path(name).name.split(".")[0]
        counts = ", ".join(f"count(nullif(cast(\"{column}\" as varchar), ''))" for column in frame.columns)
        (known,) = build.query(f'select {counts} from "{table}"')
        assert tuple(frame.count()) == known, name
        texts = frame.select_dtypes(include=["object", "string"])
        namibias += int((texts == "NA").to_numpy().sum())
    assert namibias > 0


def modified(self: Any, path: str) -> datetime:
    """When a file was modified, which DuckDB asks and fsspec does not report of the web; as in the guide."""
    return parsedate_to_datetime(self.info(path)["Last-Modified"])


def test_duckdb_reads_every_parquet_by_its_address_through_fsspec(hosted: str, build: Build) -> None:
    tables = [name for name in names(hosted) if name.startswith("parquet/")]
    assert len(tables) > 10
    with duckdb.connect() as connection:
        connection.register_filesystem(type("Web", (HTTPFileSystem,), {"modified": modified})())
        for name in tables:
            query = "select count(*), bit_xor(hash(t)) from read_parquet(?) as t"
            there = connection.execute(query, [f"{hosted}/latest/{name}"]).fetchall()
            assert there == connection.execute(query, [str(build.release / name)]).fetchall(), name


def test_the_public_address_is_where_a_release_is_got_from_and_verified(
    hosted: str, build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The catalog's, without an option."""
    about = replace(catalog.dataset(), public_url=f"{hosted}/")
    monkeypatch.setattr(catalog, "dataset", lambda: about)
    done = ote("release", "get", "--into", tmp_path)
    assert done.returncode == 0, done.stderr
    got = Path(done.stdout.strip())
    assert got == tmp_path / build.release.name
    done = ote("release", "verify", got)
    assert done.returncode == 0, done.stderr


def test_the_pages_are_next_to_the_releases_and_their_links_lead_somewhere(hosted: str) -> None:
    with urlopen(f"{hosted}/site/index.html") as answer:
        assert answer.headers["Content-Type"].split(";")[0] == "text/html"
        page = answer.read().decode()
    assert len(links(page)) > 5
    for link in links(page):
        with urlopen(urljoin(f"{hosted}/site/index.html", link)) as answer:
            assert answer.status == 200
