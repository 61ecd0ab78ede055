"""A release: one immutable folder, its version, and its place among the others.

Belongs here: writing that folder and the published database, each whole or not at all, and the index of all.
Does not belong here: whether the build is fit to be published (warehouse.require_validated), or what each
file holds (release_files.py).

What is built with changes that are not committed, or where git cannot say from which commit, is a draft,
because nobody else could build it again. So is what differs from a release of the same version. Drafts have a
folder of their own; only the newest is kept.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb

from ote import catalog, documents, files, names
from ote.checkout import Checkout
from ote.releases import folders, record, release_files
from ote.releases.reading import (
    INDEX_BYTES,
    MalformedReleaseError,
    index_entries,
)
from ote.releases.reading import BrokenReleaseError as BrokenReleaseError
from ote.releases.reading import checksums as checksums
from ote.releases.reading import manifest as manifest
from ote.releases.reading import verify as verify

LATEST = "latest"  # a link


class BrokenPromiseError(Exception):
    """A release would take away a name too early."""


def checksum(connection: duckdb.DuckDBPyConnection) -> str:
    """A checksum of all that a release holds: equal content, equal checksum."""
    import pyarrow as pa

    from ote.quality import report

    tables = [table.name for table in catalog.public_tables()]
    known = dict(connection.execute("select name, version from state.tables").fetchall())
    content = [
        [[name, known[name]] for name in tables],
        release_files.dictionary_rows(),
        release_files.contents(connection),
        report.render(connection, release_files.RECORDED),
        pa.__version__,
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def find(connection: duckdb.DuckDBPyConnection, warehouse: Path, checkout: Checkout) -> Path | None:
    """The release that holds what was built from a checkout, or else the draft, if there is one."""
    content = checksum(connection)
    homes = ("drafts",) if checkout.uncommitted else ("releases", "drafts")
    folders = (folder for home in homes for folder in _folders(warehouse / home))
    return next((folder for folder in folders if _holds(folder, content)), None)


def _holds(folder: Path, content: str) -> bool:
    """Whether a release has some content, by its record; one that is damaged has none."""
    file = folder / record.RECORD
    return file.is_file() and f'"content": "{content}"'.encode() in file.read_bytes()


def write(connection: duckdb.DuckDBPyConnection, warehouse: Path, checkout: Checkout, released: Path) -> Path:
    """Write the release, or draft, of what was built, unless it is there already; no release is ever changed.

    A draft of the same content, but of another state of the checkout, is written anew. What differs from the
    last release, by its tracked record, must have a version that is higher by the right step, or is a draft.
    The index and the link `latest` follow, each in one rename, after the release is whole.

    Args:
        connection: the working database.
        warehouse: the folder of the releases and drafts.
        checkout: what the tables were made from.
        released: the folder of the tracked record.

    Raises:
        BrokenReleaseError: a release of this content exists, but its files are not whole.
        BrokenPromiseError: names each column that queries of the last release rely on, and that is gone.
        BadRecordError: the record cannot be read.
    """
    before, now = compared(connection, checkout, released)
    version, why = record.version(before, now)
    releases, drafts = warehouse / "releases", warehouse / "drafts"
    if not why and checkout.commit is None:
        why = "its commit is unknown, because git cannot read the folder that it was built in"
    if not why and (other := _other(releases / version, now.content)):
        why = f"{other} has other content, and a version is never changed"
    if why or checkout.uncommitted:
        version = record.draft_version(catalog.dataset().version, now.content)
    folder = drafts if why or checkout.uncommitted else releases
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(".*.partial"):
        shutil.rmtree(leftover) if leftover.is_dir() and not leftover.is_symlink() else leftover.unlink()
    final = folder / version
    if final.exists():
        verify(final)
        if folder == releases:
            point(releases)
        if folder == releases or (_made_from(final) == checkout and manifest(final).get("draft") == why):
            return final
        shutil.rmtree(final)
    now = replace(now, version=version)
    _write_whole(
        final,
        lambda partial: release_files.write(
            connection, partial, checkout, now, record.changes(before, now, released), why
        ),
    )
    if folder == releases:
        point(releases)
    else:
        for older in set(_folders(folder)) - {final}:
            shutil.rmtree(older)
    return final


def _write_whole(final: Path, write: Callable[[Path], None]) -> None:
    """Make a folder that appears whole, in one rename, or not at all."""
    partial = final.with_name(f".{final.name}.partial")
    partial.mkdir()
    write(partial)
    for file in sorted(partial.rglob("*")):
        files.sync(file)
    files.sync(partial)
    partial.rename(final)
    files.sync(final.parent)


def _other(release: Path, content: str) -> Path | None:
    """A release, if it is there and has other content."""
    return release if (release / "SHA256SUMS").exists() and not _holds(release, content) else None


def compared(
    connection: duckdb.DuckDBPyConnection, checkout: Checkout, released: Path
) -> tuple[record.Record | None, record.Record]:
    """The record of the last release, and that of what was built, without its version.

    Raises:
        BrokenPromiseError: it takes away a name too early.
        BadRecordError: the record of the last release cannot be read.
    """
    before = record.read(released)
    now = record.of(connection, "", checksum(connection), checkout.commit)
    if before and (broken := record.broken_promises(before, now)):
        raise BrokenPromiseError("No release: " + "; ".join(broken))
    return before, now


def _made_from(release: Path) -> Checkout:
    made = manifest(release)
    return Checkout(made["commit"], tuple(made["uncommitted"]))


def _folders(releases: Path) -> list[Path]:
    """The whole releases of a folder: a folder with sums, named by a version."""
    return sorted(file.parent for file in releases.glob("*/SHA256SUMS") if names.is_version(file.parent.name))


def index(releases: Path) -> list[dict[str, Any]]:
    """What index.json says of every release, in the order in which they came.

    Raises:
        BrokenReleaseError: it is not as it was written.
    """
    file = releases / "index.json"
    try:
        return index_entries(folders.read(releases, "index.json", INDEX_BYTES), str(file))
    except FileNotFoundError:
        return []
    except (documents.MalformedError, OSError) as error:
        raise MalformedReleaseError(
            f"{error}: not the index of releases. Move {file} away: it is written anew from those there."
        ) from None


def latest(releases: Path) -> Path | None:
    """The whole release of the highest version."""
    known = [entry["version"] for entry in index(releases)]
    whole = [version for version in known if (releases / version / "SHA256SUMS").exists()]
    return releases / highest(whole) if whole else None


def highest(versions: Iterable[str]) -> str:
    """The highest version by the precedence of SemVer; of equal ones, such as two contents, the last."""
    return max(reversed([*versions]), key=_precedence)


def _precedence(version: str) -> tuple[Any, ...]:
    """What versions are compared by, https://semver.org/#spec-item-11; what is no version is below all."""
    parts = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(?:-([^+]+))?(?:\+.*)?", version)
    if parts is None:
        return ()
    *numbers, before = parts.groups()
    identifiers = before.split(".") if before else []
    ranks = [(0, int(word), "") if word.isdigit() else (1, 0, word) for word in identifiers]
    return (*map(int, numbers), before is None, ranks)


def point(releases: Path) -> None:
    """Bring index.json and the link `latest` up to what is there."""
    known = {entry["version"]: entry for entry in index(releases)}
    whole = {folder.name: folder for folder in _folders(releases)}
    new = sorted(
        (entry(folder) for name, folder in whole.items() if name not in known),
        key=lambda entry: (entry["date"], entry["version"]),
    )
    entries = [entry for name, entry in known.items() if name in whole] + new
    text = index_text(entries)
    if (
        not (releases / "index.json").exists()
        or (releases / "index.json").read_text(encoding="utf-8") != text
    ):
        files.write(releases / "index.json", text)
    link = releases / LATEST
    if link.is_dir() and not link.is_symlink():
        _remove_copy(link, entries)
    point_latest(releases, highest(entry["version"] for entry in entries))


def point_latest(releases: Path, version: str) -> None:
    """Let the link `latest` lead to a version, in one rename."""
    link = releases / LATEST
    if not link.is_symlink() or link.readlink() != Path(version):
        partial = releases / ".latest.partial"
        partial.unlink(missing_ok=True)
        partial.symlink_to(version)
        partial.replace(link)
    files.sync(releases)


def index_text(entries: list[dict[str, Any]]) -> str:
    """index.json: all releases in the order in which they came, and the highest version.

    `path` is the folder of a version as an address has it: a bare `+` is a space to some stores, such as S3.
    """
    listed = [known | {"path": quote(known["version"])} for known in entries]
    version = highest(known["version"] for known in entries)
    latest = {"latest": version, "latest_path": quote(version)}
    return json.dumps(latest | {"releases": listed}, indent=1) + "\n"


def _remove_copy(link: Path, entries: list[dict[str, Any]]) -> None:
    """Remove what a program that follows links made of `latest`: a copy of a release that is here as well.

    Raises:
        BrokenReleaseError: it is no such copy.
    """
    sums = link / "SHA256SUMS"
    if not sums.exists() or files.sha256_of(sums) not in {entry["sha256"] for entry in entries}:
        raise BrokenReleaseError(
            f"{link}: a folder, where a link is expected, and no copy of a release. Move it away."
        )
    shutil.rmtree(link)


def entry(folder: Path) -> dict[str, Any]:
    """What the index says of one release: sha256 is that of its SHA256SUMS, which covers all other files.

    The date is the day on which the release was written. The files of the release have the day of the newest
    source instead, so that equal inputs make equal files.
    """
    sums = folder / "SHA256SUMS"
    return {
        "version": folder.name,
        "date": f"{datetime.fromtimestamp(sums.stat().st_mtime, UTC):%Y-%m-%d}",
        "schema_version": manifest(folder)["schema_version"],
        "sha256": files.sha256_of(sums),
        "size_bytes": sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
    }


def publish_database(release: Path, path: Path) -> bool:
    """Put the release's database where people query it, in one rename; whether anything changed.

    It is read-only: a writer that outlives the rename would leave its log beside the new file.
    """
    wanted = checksums(release)[release_files.DATABASE]
    if path.exists() and files.sha256_of(path) == wanted:
        return False
    with files.replacing(path) as partial:
        shutil.copyfile(release / release_files.DATABASE, partial)
        partial.chmod(0o444)
        path.with_name(path.name + ".wal").unlink(missing_ok=True)
    files.sync(path.parent)
    return True


def is_published(release: Path, path: Path) -> bool:
    """Whether the release is whole on disk, and its database the published one."""
    if not (release / "SHA256SUMS").exists() or not path.exists():
        return False
    verify(release)
    return files.sha256_of(path) == checksums(release)[release_files.DATABASE]
