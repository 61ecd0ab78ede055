"""`ote publish` and `ote get`: a reader sees whole versions only, whatever is cut short, on disk and S3."""

import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import fsspec
import pytest
from fsspec.implementations.http import HTTPFileSystem

from ote import catalog
from ote.releases import publishing, release
from tests.conftest import OTE, Build, ote, outlasts, resum, without_privilege
from tests.faults import Answer, serve
from tests.store import Store, s3_store, store


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Store]:
    """A folder that is served as a store serves one."""
    (tmp_path / "served").mkdir()
    with store(tmp_path / "served") as server:
        yield server


def versions(target: Path) -> list[str]:
    """What a reader sees."""
    index = target / "index.json"
    return [entry["version"] for entry in json.loads(index.read_text())["releases"]] if index.exists() else []


def test_what_is_published_is_got_whole_over_http(build: Build, served: Store, tmp_path: Path) -> None:
    folder, address = served.folder, served.address
    assert ote("publish", folder, "--version", build.release, "--no-pages").returncode == 0
    done = ote("get", "--from", address, "--into", tmp_path / "got")
    assert done.returncode == 0, done.stderr
    got = Path(done.stdout.strip())
    assert got.name == build.release.name
    assert release.checksums(got) == release.checksums(build.release)
    release.verify(got)
    index = json.loads((folder / "index.json").read_text())
    assert index["latest_path"] == build.release.name.replace("+", "%2B")
    assert release.checksums(folder / "latest") == release.checksums(build.release)
    release.verify(folder / "latest")
    assert not [path for path in folder.rglob("*") if path.is_symlink()]


def older(build: Build, folder: Path) -> Path:
    """A release of a lower version."""
    lower = Path(shutil.copytree(build.release, folder / "0.0.9+00000000"))
    manifest = lower / "manifest.json"
    manifest.write_text(manifest.read_text().replace(build.release.name, lower.name))
    resum(lower)
    return lower


def test_a_copy_under_another_name_is_not_published_as_a_version(build: Build, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(build.release, tmp_path / "my-copy"))
    done = ote("publish", tmp_path / "to", "--version", copied)
    assert done.returncode == 1
    assert f"its version is {build.release.name}, and so must be its name" in done.stderr
    assert not (tmp_path / "to").exists()


def test_an_older_release_that_is_published_later_is_not_the_latest(build: Build, tmp_path: Path) -> None:
    target, lower = tmp_path / "to", older(build, tmp_path)
    for folder in (build.release, lower):
        assert ote("publish", target, "--version", folder, "--no-pages").returncode == 0
    assert versions(target) == [build.release.name, lower.name]
    index = json.loads((target / "index.json").read_text())
    assert index["latest"] == build.release.name
    assert index["latest_path"] == build.release.name.replace("+", "%2B")
    assert release.checksums(target / "latest") == release.checksums(build.release)
    got = ote("get", "--from", target, "--into", tmp_path / "got").stdout.strip()
    assert Path(got).name == build.release.name


def test_an_older_release_that_is_got_into_the_folder_of_a_build_is_not_its_latest(
    build: Build, copy: Path
) -> None:
    older(build, copy / "releases")
    assert ote("release", "make", "--warehouse", copy, "--released", copy / "released").returncode == 0
    assert (copy / "releases" / "latest").readlink() == Path(build.release.name)
    assert len(versions(copy / "releases")) == 2


@pytest.mark.parametrize(
    ("versions", "highest"),
    [
        (["0.10.0+a", "0.9.0+b"], "0.10.0+a"),
        (["1.0.0+b", "1.0.0+a"], "1.0.0+a"),
        (["1.0.0", "1.0.0-rc.2", "0.9.9"], "1.0.0"),
        (["1.0.0-rc.10", "1.0.0-rc.2", "1.0.0-alpha", "1.0.0-7"], "1.0.0-rc.10"),
        (["1.0.0-rc.1", "1.0.0-rc"], "1.0.0-rc.1"),
        (["0.0.1", "backup"], "0.0.1"),
    ],
)
def test_the_highest_version_is_that_of_semver(versions: list[str], highest: str) -> None:
    assert release.highest(versions) == highest


def test_a_published_version_is_never_written_over(build: Build, tmp_path: Path) -> None:
    publishing.publish(build.release, str(tmp_path / "to"))
    done = ote("publish", tmp_path / "to", "--version", build.release)
    assert done.returncode == 1
    assert "is published; a published version is never changed" in done.stderr


TELLING = """
import os, sys
from pathlib import Path
from ote.releases import publishing
def tell(name, *_):
    os.write(1, b"%d\\n" % os.getpid())
    os.read(0, 1)  # files are copied faster than a signal comes: kills shall fall between them
for _ in range(int(sys.argv[3])):  # forked, since a new process that imports all this costs a second
    if not (child := os.fork()):
        publishing.publish(Path(sys.argv[1]), sys.argv[2], tell)
        os._exit(1)
    os.waitpid(child, 0)
    os.write(1, b"ended\\n")
"""


def test_the_index_comes_last_and_a_publication_goes_on_where_it_was_cut(
    build: Build, tmp_path: Path
) -> None:
    """Killed at twenty random files: no reader ever sees a version that is not whole."""
    moments, kills = random.Random(7), 20
    target = tmp_path / "to"
    files = len(release.checksums(build.release)) + 1
    with subprocess.Popen(
        [sys.executable, "-c", TELLING, str(build.release), str(target), str(kills)],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(catalog.ROOT / "pipelines")},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(kills):
            publisher = process.stdout.readline()
            for _ in range(moments.randrange(files - kills)):
                process.stdin.write(b".")
                assert process.stdout.readline() == publisher
            process.stdin.write(b".")  # which may be left to the next, who has room for one of each kill
            os.kill(int(publisher), signal.SIGKILL)
            while process.stdout.readline() != b"ended\n":
                pass
            assert versions(target) == []
            assert not (target / "latest").exists()
    assert process.returncode == 0
    assert any(file.is_file() for file in target.rglob("*"))
    publishing.publish(build.release, str(target))
    assert versions(target) == [build.release.name]
    release.verify(target / build.release.name)


def test_a_changed_byte_on_the_way_is_named_and_nothing_is_kept(
    build: Build, served: Store, tmp_path: Path
) -> None:
    folder, address = served.folder, served.address
    publishing.publish(build.release, str(folder))
    victim = folder / build.release.name / "csv" / "method.csv"
    victim.write_text(victim.read_text().replace("1", "2", 1))
    done = ote("get", "--from", address, "--into", tmp_path / "got")
    assert done.returncode == 1
    assert "csv/method.csv" in done.stderr
    assert not list((tmp_path / "got").iterdir())


@pytest.mark.parametrize("name", ["../../escaped", "csv/../../../escaped", "/escaped"])
def test_a_release_whose_files_lead_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    """As one who sends evil would publish it: every checksum holds."""
    sums = f"{hashlib.sha256(b'evil').hexdigest()}  {name}\n".encode()
    folder = tmp_path / "from" / "1.0.0"
    folder.mkdir(parents=True)
    (folder / "SHA256SUMS").write_bytes(sums)
    (folder / name.removeprefix("/")).resolve().parent.mkdir(parents=True, exist_ok=True)
    (folder / name.removeprefix("/")).resolve().write_bytes(b"evil")
    entry = {"version": "1.0.0", "date": "2026-01-31", "sha256": hashlib.sha256(sums).hexdigest()}
    (tmp_path / "from" / "index.json").write_text(json.dumps({"releases": [entry]}))
    with pytest.raises(
        publishing.NotPublishedError, match="SHA256SUMS is not the checksum file of a release"
    ):
        publishing.get("latest", str(tmp_path / "from"), tmp_path / "deep" / "into")
    assert not [path for path in (tmp_path / "deep").rglob("*") if path.is_file()]
    (tmp_path / "from" / "index.json").write_text(json.dumps({"releases": [entry | {"version": "../x"}]}))
    with pytest.raises(publishing.NotPublishedError, match="not the index of published releases"):
        publishing.get("latest", str(tmp_path / "from"), tmp_path / "deep" / "into")


def test_a_download_goes_on_and_fetches_nothing_twice(build: Build, served: Store, tmp_path: Path) -> None:
    folder, address = served.folder, served.address
    publishing.publish(build.release, str(folder))
    half = tmp_path / "got" / f".{build.release.name}.download"
    shutil.copytree(build.release / "csv", half / "csv")
    got = publishing.get("latest", address, tmp_path / "got")
    release.verify(got)
    assert not [path for path in served.asked if "/csv/" in path]
    assert [path for path in served.asked if "/parquet/" in path]


BYTES = random.Random(3).randbytes(50_000)


def small(folder: Path) -> Path:
    """What is published of a release of one file."""
    sums = f"{hashlib.sha256(BYTES).hexdigest()}  inputs.zip\n".encode()
    (folder / "1.0.0").mkdir(parents=True)
    (folder / "1.0.0" / "SHA256SUMS").write_bytes(sums)
    (folder / "1.0.0" / "inputs.zip").write_bytes(BYTES)
    entry = {"version": "1.0.0", "date": "2026-01-31", "sha256": hashlib.sha256(sums).hexdigest()}
    (folder / "index.json").write_text(json.dumps({"releases": [entry]}))
    return folder


def begun(into: Path, content: bytes) -> None:
    """What is left of a download that was cut short in its one file."""
    (into / ".1.0.0.download").mkdir(parents=True)
    (into / ".1.0.0.download" / "inputs.zip").write_bytes(content)


def test_a_release_that_was_got_keeps_its_day(served: Store, build: Build, tmp_path: Path) -> None:
    """Also in the index of the folder that it is put into, which follows from the files there."""
    publishing.publish(build.release, str(served.folder))
    index = served.folder / "index.json"
    day = json.loads(index.read_text())["releases"][0]["date"]
    index.write_text(index.read_text().replace(day, "2026-01-31"))
    got = publishing.get("latest", served.address, tmp_path / "got")
    assert release.entry(got)["date"] == "2026-01-31"


def test_a_file_that_was_cut_short_goes_on_where_it_was_cut(served: Store, tmp_path: Path) -> None:
    small(served.folder)
    begun(tmp_path / "got", BYTES[:30_000])
    got = publishing.get("latest", served.address, tmp_path / "got")
    assert (got / "inputs.zip").read_bytes() == BYTES
    sent = [start for path, start in zip(served.asked, served.begun, strict=True) if "inputs.zip" in path]
    assert sent[-1] == 30_000


@pytest.mark.parametrize("left", [BYTES[:30_000], b"other" * 8_000, BYTES + b"more"])
def test_a_file_that_cannot_go_on_begins_anew(tmp_path: Path, left: bytes) -> None:
    """From a server that sends whole files only, and where what is left is not of this file."""
    folder = small(tmp_path / "from")
    whole = {f"/{f.relative_to(folder)}": Answer(f.read_bytes()) for f in folder.rglob("*") if f.is_file()}
    with serve(whole) as server:
        for place in (server.url, str(folder)):
            begun(tmp_path / "got", left)
            got = publishing.get("latest", place, tmp_path / "got")
            assert (got / "inputs.zip").read_bytes() == BYTES
            shutil.rmtree(tmp_path / "got")


def test_a_slow_line_may_take_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a whole file takes, if bytes keep coming."""
    monkeypatch.setattr("aiohttp.client.DEFAULT_TIMEOUT", aiohttp.ClientTimeout(total=0.5))
    HTTPFileSystem.clear_instance_cache()  # and the session that earlier tests opened
    folder = small(tmp_path / "from")
    whole = {f"/{f.relative_to(folder)}": Answer(f.read_bytes()) for f in folder.rglob("*") if f.is_file()}
    sums = (folder / "1.0.0" / "SHA256SUMS").read_bytes()
    with serve(whole | {"/1.0.0/SHA256SUMS": Answer(sums, fault="drip")}) as server:
        got = publishing.get("latest", server.url, tmp_path / "got")
    assert (got / "SHA256SUMS").read_bytes() == sums


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["--from", "{empty}"], "no index.json there", 1),
        (["9.9.9", "--from", "{folder}"], "9.9.9 is not published. There are: ", 1),
        (["--from", "http://127.0.0.1:1"], "cannot be read", 1),
        (["--from", "{other}"], "is not the index of published releases", 2),
        (["--from", "nothing://x"], "expected a folder", 2),
        (["--from", "s3://"], "expected a folder", 2),
        (["--from", "ftp://host/x"], "expected a folder", 2),
    ],
)
def test_what_cannot_be_got_is_said(
    build: Build, tmp_path: Path, arguments: list[str], words: str, code: int
) -> None:
    publishing.publish(build.release, str(tmp_path / "folder"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "index.json").write_text("{}")
    places = {name: tmp_path / name for name in ("empty", "folder", "other")}
    done = ote("get", *(argument.format(**places) for argument in arguments), "--into", tmp_path / "got")
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("", "'': expected a folder, s3://bucket/prefix"),
        ("s3://", "'s3://': expected a folder"),
        ("s3:///prefix", "'s3:///prefix': expected a folder"),
        ("s3:/bucket", "'s3:/bucket': expected a folder"),
        ("file://", "'file://': expected a folder"),
        ("ftp://host/x", "'ftp://host/x': expected a folder"),
        ("http://host/x", "http://host/x: nothing can be put at http://"),
    ],
)
def test_what_is_no_place_for_releases_is_refused(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(publishing.NotPublishedError, match=re.escape(words)):
        publishing.publish(build.release, target)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [("publish", "{to}", "--version", "nope"), ("diff", "nope")])
def test_a_version_that_is_not_there_is_said_with_those_that_are(
    build: Build, tmp_path: Path, command: tuple[str, ...]
) -> None:
    arguments = [word.format(to=tmp_path / "to") for word in command]
    done = ote(*arguments, "--releases", build.directory / "releases")
    assert done.returncode == 2
    assert "nope: no " in done.stderr
    assert f"There are: {build.release.name}, latest." in done.stderr
    done = ote(*arguments, "--releases", tmp_path / "empty")
    assert done.returncode == 2
    assert "There is none; build one: ote build" in done.stderr
    assert not (tmp_path / "to").exists()


def tiny(folder: Path, version: str, **files: str) -> Path:
    """A release of a few files, each named by a keyword, that are no tables."""
    about: dict[str, Any] = {"version": version, "schema_version": "1.0.0", "commit": None}
    about |= {"uncommitted": [], "sources": [], "tables": {}}
    release_folder = folder / version
    for name, text in (files | {"manifest.json": json.dumps(about)}).items():
        file = release_folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    resum(release_folder)
    return release_folder


def contents(folder: Path) -> dict[str, str]:
    """The text of each file below a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {file.relative_to(folder).as_posix(): file.read_text() for file in files}


def test_latest_holds_the_files_of_the_highest_release_and_no_others(tmp_path: Path) -> None:
    target = tmp_path / "to"
    publishing.publish(tiny(tmp_path, "1.0.0", **{"csv/a.csv": "1", "old/b.csv": "2"}), str(target))
    higher = tiny(tmp_path, "1.1.0", **{"csv/a.csv": "3", "csv/c.csv": "4"})
    publishing.publish(higher, str(target))
    publishing.publish(tiny(tmp_path, "1.0.1", **{"csv/a.csv": "5"}), str(target))
    assert contents(target / "latest") == contents(higher)
    release.verify(target / "latest")
    assert versions(target) == ["1.0.0", "1.1.0", "1.0.1"]


def test_latest_comes_after_the_version_and_before_the_index(tmp_path: Path) -> None:
    """Data first, then the checksums of latest, then the index: what is cut short promises nothing."""
    stated: list[str] = []
    seen: list[bool] = []

    def tell(name: str, number: int, total: int) -> None:
        stated.append(name)
        seen.append((tmp_path / "to" / "index.json").exists())

    publishing.publish(tiny(tmp_path, "1.0.0", **{"csv/a.csv": "1"}), str(tmp_path / "to"), tell)
    files = ["csv/a.csv", "manifest.json", "SHA256SUMS"]
    assert stated == [f"{place}/{name}" for place in ("1.0.0", "latest") for name in files]
    assert not any(seen)


def test_latest_may_have_been_a_link_and_none_in_it_is_followed(tmp_path: Path) -> None:
    """As earlier versions of this program made it, or someone else: what a link leads to stays as it is."""
    target, elsewhere = tmp_path / "to", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept.csv").write_text("kept")
    target.mkdir()
    (target / "latest").symlink_to(elsewhere)
    publishing.publish(tiny(tmp_path, "1.0.0", **{"csv/a.csv": "1"}), str(target))
    assert not (target / "latest").is_symlink()
    (target / "latest" / "more").symlink_to(elsewhere)
    publishing.publish(tiny(tmp_path, "1.1.0", **{"csv/a.csv": "2"}), str(target))
    (target / "latest" / "csv" / "a.csv").unlink()
    (target / "latest" / "csv").rmdir()
    (target / "latest" / "csv").symlink_to(elsewhere)
    with pytest.raises(publishing.NotPublishedError, match="a link or a file, expected a folder"):
        publishing.publish(tiny(tmp_path, "1.2.0", **{"csv/a.csv": "3"}), str(target))
    assert versions(target) == ["1.0.0", "1.1.0"]
    assert contents(elsewhere) == {"kept.csv": "kept"}


def test_what_an_attempt_of_other_content_left_in_a_version_goes(tmp_path: Path) -> None:
    left = tmp_path / "to" / "1.0.0" / "old" / "left.csv"
    left.parent.mkdir(parents=True)
    left.write_text("left")
    publishing.publish(tiny(tmp_path, "1.0.0", **{"csv/a.csv": "1"}), str(tmp_path / "to"))
    release.verify(tmp_path / "to" / "1.0.0")


def test_a_publication_whose_latest_failed_can_be_run_again(tmp_path: Path) -> None:
    target, folder = tmp_path / "to", tiny(tmp_path, "1.0.0", **{"csv/a.csv": "1"})
    target.mkdir()
    (target / "latest").write_text("in the way")
    done = ote("publish", target, "--version", folder)
    assert done.returncode == 1
    assert "is not published; run it again" in done.stderr
    assert versions(target) == []
    (target / "latest").unlink()
    assert ote("publish", target, "--version", folder, "--no-pages").returncode == 0
    assert versions(target) == ["1.0.0"]
    assert contents(target / "latest") == contents(folder)


def test_a_folder_that_cannot_be_written_is_said(build: Build, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = ote("publish", tmp_path / "file", "--version", build.release)
    assert done.returncode == 1
    assert "is not published" in done.stderr or "cannot be read" in done.stderr


def limited(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command for which no file may grow beyond half a megabyte, as on a disk that is full by then."""
    return subprocess.run(
        [*OTE, *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000)),
    )


def test_a_full_disk_shows_no_reader_half_a_release(build: Build, tmp_path: Path) -> None:
    target = tmp_path / "to"
    done = limited("publish", target, "--version", build.release)
    assert done.returncode == 1
    assert "is not published; run it again" in done.stderr
    assert versions(target) == []
    assert ote("publish", target, "--version", build.release, "--no-pages").returncode == 0
    release.verify(target / build.release.name)
    assert not list(target.rglob("*.partial"))
    done = limited("get", "--from", target, "--into", tmp_path / "got")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "got").glob("[!.]*"))


def test_a_read_only_target_is_said_and_stays_as_it_was(build: Build, tmp_path: Path) -> None:
    target = tmp_path / "to"
    target.mkdir(mode=0o555)
    for command in (
        ["publish", str(target), "--version", str(build.release)],
        ["get", "--from", str(build.directory / "releases"), "--into", str(target)],
    ):
        done = subprocess.run(
            [*without_privilege(), *OTE, *command], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "Permission denied" in done.stderr
        assert "Traceback" not in done.stderr
    assert not list(target.iterdir())
    target.chmod(0o755)


@pytest.fixture(autouse=True)
def _own_credentials() -> None:
    """Forget stores that were reached in this process with the credentials of another test."""
    fsspec.get_filesystem_class("s3").clear_instance_cache()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        (
            {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": os.devnull},
            "Unable to locate credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ),
        (
            {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"},
            "see that AWS_ENDPOINT_URL is the store's",
        ),
    ],
)
def test_an_s3_store_that_cannot_be_reached_is_said_in_a_line(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], words: str
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    dead = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in (dead | {"AWS_MAX_ATTEMPTS": "1"} | environment).items():
        monkeypatch.setenv(name, value)
    for command in (
        ("publish", "s3://bucket/prefix", "--version", build.release),
        ("get", "--from", "s3://bucket/prefix", "--into", tmp_path),
    ):
        done = ote(*command)
        assert done.returncode == 1
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket of an S3 server of this test."""
    with s3_store("releases") as (_, environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield "s3://releases/open-training-emissions"


def test_a_release_goes_to_an_s3_store_and_back(build: Build, bucket: str, tmp_path: Path) -> None:
    done = ote("publish", bucket, "--version", build.release, "--no-pages")
    assert done.returncode == 0, done.stderr
    again = ote("publish", bucket, "--version", build.release)
    assert again.returncode == 1
    assert "never changed" in again.stderr
    assert ote("publish", bucket, "--version", older(build, tmp_path)).returncode == 0
    fsspec.filesystem("s3").get(f"{bucket}/latest", str(tmp_path / "latest"), recursive=True)
    assert release.checksums(tmp_path / "latest") == release.checksums(build.release)
    release.verify(tmp_path / "latest")
    done = ote("get", "--from", bucket, "--into", tmp_path / "got")
    assert done.returncode == 0, done.stderr
    release.verify(tmp_path / "got" / build.release.name)


def test_killed_on_an_s3_store_no_reader_sees_half_a_release(
    build: Build, bucket: str, tmp_path: Path
) -> None:
    moments = random.Random(11)
    for _ in range(5):
        process = subprocess.Popen(
            [*OTE, "publish", bucket, "--version", str(build.release)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        outlasts(process, moments.uniform(0.6, 1.8))
        process.send_signal(signal.SIGKILL)
        process.wait()
        seen = ote("get", "--from", bucket, "--into", tmp_path / "seen")
        assert "no index.json there" in seen.stderr or seen.returncode == 0
    if seen.returncode != 0:
        assert ote("publish", bucket, "--version", build.release, "--no-pages").returncode == 0
    done = ote("get", "--from", bucket, "--into", tmp_path / "got")
    assert done.returncode == 0, done.stderr
    release.verify(tmp_path / "got" / build.release.name)
