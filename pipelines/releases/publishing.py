"""Put a release where others get it, and get one from there: folders, S3-compatible stores, web servers.

Belongs here: the order in which files are copied, and what is left when that is cut short. Does not belong
here: what a release is (release.py), whether one is whole (verification.py), or printing (cli/releases.py).

Stores are reached by fsspec: a path, s3://bucket/prefix (with s3fs), http://host/path (to get only). A reader
goes by index.json, which is written last: a version that it does not name is not there yet.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from datetime import date, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import fsspec

from pipelines.releases import release

INDEX = "index.json"
CHUNK_BYTES = 1 << 20
# A file may take as long as a slow line needs (aiohttp gives up after five minutes); silence may not.
PATIENCE = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60)

# An address, or a folder, which does not begin like one: fsspec takes `s3://` and the empty word for folders.
PLACE = re.compile(r"s3://[^/]+.*|https?://[^/]+.*|file:///.+|(?![\w+.-]+:).*\S.*")

# A version that is the name of one folder, and leads to no other.
VERSION = re.compile(r"\w[\w.+-]*")

Progress = Callable[[str, int, int], None]


# What stores raise when they cannot be reached (s3fs translates answers to OSError, and neither what botocore
# raises before there is one, nor what aiohttp does), or answer what is no index (ValueError).
S3_ERRORS = (import_module("botocore.exceptions").BotoCoreError,) if find_spec("botocore") else ()  # an extra
UNREACHABLE = (OSError, aiohttp.ClientError, ValueError, *S3_ERRORS)
ADVICE = {
    "NoCredentialsError": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, those of the store",
    "EndpointConnectionError": "see that AWS_ENDPOINT_URL is the store's, and that it answers",
}


class NotPublishedError(Exception):
    """The release was not put there or not got; the message says why, and what to do."""


class CutShortError(NotPublishedError):
    """A download ended before its end; the same command goes on."""


def publish(folder: Path, target: str, progress: Progress = lambda name, done, total: None) -> None:
    """Copy a release to a target, its index entry last; run again, it goes on where it was cut short.

    Raises:
        NotPublishedError: the version is published already, is a draft, is not whole, or its folder has
            another name.
    """
    try:
        release.verify(folder)
    except release.BrokenReleaseError as error:
        raise NotPublishedError(str(error)) from None
    about = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    if uncommitted := about.get("uncommitted"):
        raise NotPublishedError(f"{folder.name} is a draft: not committed are {', '.join(uncommitted)}.")
    if about["version"] != folder.name:
        raise NotPublishedError(
            f"{folder}: its version is {about['version']}, and so must be its name; it is published under it."
        )
    store, root = _store(target)
    if "http" in store.protocol:
        raise NotPublishedError(
            f"{target}: nothing can be put at http://; expected a folder or s3://bucket/prefix."
        )
    known = _index(store, root)
    if any(entry["version"] == folder.name for entry in known):
        raise NotPublishedError(
            f"{target}: {folder.name} is published; a published version is never changed."
        )
    names = [*release.checksums(folder), "SHA256SUMS"]
    entry = release.entry(folder)
    text = release.index_text([*known, entry])
    try:
        for number, name in enumerate(names, 1):
            progress(name, number, len(names))
            _put(store, folder / name, f"{root}/{folder.name}/{name}")
        if "file" in store.protocol:
            release.point_latest(Path(root), release.highest(e["version"] for e in [*known, entry]))
        _put_text(store, text, f"{root}/{INDEX}")  # the last of all: what it names is not published again
    except UNREACHABLE as error:
        raise NotPublishedError(
            f"{target}: {_said(error)}. {folder.name} is not published; run it again."
        ) from None


def get(version: str, source: str, target: Path, progress: Progress = lambda name, done, total: None) -> Path:
    """Download a release; every file is checked, and what is whole already is not fetched again.

    Args:
        version: one of the index, or `latest`.
        source: where releases are published.
        target: folder to put the release in, below its version.
        progress: called with each file, its number and how many there are.

    Raises:
        NotPublishedError: no such version, a file is missing or has other bytes than the published ones, or
            what is there is no release: no file is ever put beside the target.
    """
    store, root = _store(source)
    known = {entry["version"]: entry for entry in _index(store, root)}
    if not known:
        raise NotPublishedError(f"{source}: no {INDEX} there; expected the address of published releases.")
    wanted = release.highest(known) if version == "latest" else version
    if wanted not in known:
        raise NotPublishedError(f"{source}: {version} is not published. There are: {', '.join(known)}.")
    final = target / wanted
    if final.exists():
        try:
            release.verify(final)
        except release.BrokenReleaseError as error:
            raise NotPublishedError(f"{final} exists and is damaged: {error}") from None
        return final
    partial = target / f".{wanted}.download"
    try:
        partial.mkdir(parents=True, exist_ok=True)
        sums_file = partial / "SHA256SUMS"
        there = f"{root}/{quote(wanted) if 'http' in store.protocol else wanted}"
        _fetch(store, f"{there}/SHA256SUMS", sums_file, known[wanted]["sha256"])
        sums = release.checksums(partial)
        for number, (name, sha256) in enumerate(sums.items(), 1):
            progress(name, number, len(sums))
            _fetch(store, f"{there}/{name}", partial / name, sha256)
        noon = datetime.fromisoformat(f"{known[wanted]['date']}T12:00:00+00:00").timestamp()
        os.utime(sums_file, (noon, noon))  # which the day of a release is read from (release.entry)
        partial.rename(final)
    except CutShortError:
        raise
    except NotPublishedError:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    except release.BrokenReleaseError:
        shutil.rmtree(partial, ignore_errors=True)
        raise NotPublishedError(f"{there}/SHA256SUMS is not that of a release. Nothing was kept.") from None
    except OSError as error:
        raise NotPublishedError(f"{target}: {error}. {wanted} was not put there.") from None
    return final


def _store(address: str) -> tuple[Any, str]:
    """The store of an address, and the path in it."""
    if not PLACE.fullmatch(address):
        raise NotPublishedError(
            f"{address!r} is no place for releases; expected a folder, s3://bucket/prefix, or to get one "
            "https://host/prefix."
        )
    try:
        options = {"client_kwargs": {"timeout": PATIENCE}} if address.startswith("http") else {}
        store, root = fsspec.core.url_to_fs(address.rstrip("/") or "/", **options)
    except ImportError as error:
        raise NotPublishedError(f"{address}: {error}.") from None
    return store, root


def _index(store: Any, root: str) -> list[dict[str, Any]]:
    try:
        entries: list[dict[str, Any]] = json.loads(store.cat_file(f"{root}/{INDEX}"))["releases"]
        known = all(
            VERSION.fullmatch(entry["version"]) and entry["sha256"] and date.fromisoformat(entry["date"])
            for entry in entries
        )
    except FileNotFoundError:
        return []
    except UNREACHABLE as error:
        raise NotPublishedError(f"{root}/{INDEX} cannot be read: {_said(error)}") from None
    except (KeyError, TypeError):
        known = False
    if not known:
        raise NotPublishedError(f"{root}/{INDEX} is not the index of published releases.")
    return entries


def _said(error: Exception) -> str:
    """What a store said, and what to do where it does not say so."""
    advice = ADVICE.get(type(error).__name__)
    said = str(error) or type(error).__name__  # a timeout says nothing
    return f"{said}; {advice}" if advice else said


def _put(store: Any, file: Path, path: str) -> None:
    """Copy one file; a file of equal bytes stays, and on a local disk none is seen half-written."""
    if store.exists(path) and store.size(path) == file.stat().st_size:
        with store.open(path, "rb") as there:
            if _sha256(there) == _sha256_of(file):
                return
    if "file" in store.protocol:
        store.makedirs(path.rpartition("/")[0], exist_ok=True)
        partial = f"{path}.partial"
        store.put_file(str(file), partial)
        Path(partial).replace(path)
    else:
        store.put_file(str(file), path)


def _put_text(store: Any, text: str, path: str) -> None:
    if "file" in store.protocol:
        Path(f"{path}.partial").write_text(text, encoding="utf-8")
        Path(f"{path}.partial").replace(path)
    else:
        store.pipe_file(path, text.encode())


def _fetch(store: Any, path: str, file: Path, sha256: str) -> None:
    if file.exists() and _sha256_of(file) == sha256:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        if file.exists():
            _continue(store, path, file)
        if not file.exists() or _sha256_of(file) != sha256:
            store.get_file(path, str(file))
    except FileNotFoundError:
        raise NotPublishedError(f"{path}: missing, though the index names its version.") from None
    except UNREACHABLE as error:
        raise CutShortError(f"{path}: {_said(error)}. What came is kept; run it again to go on.") from None
    if _sha256_of(file) != sha256:
        raise NotPublishedError(
            f"{path}: its bytes are not those that were published. Nothing was kept; try again."
        )


def _continue(store: Any, path: str, file: Path) -> None:
    """Add what lacks of a file; a server that sends no part of one leaves it as it is."""
    try:
        with store.open(path, "rb") as there, file.open("ab") as here:
            there.seek(here.tell())
            shutil.copyfileobj(there, here, CHUNK_BYTES)
    except ValueError:  # what fsspec raises of such a server
        return


def _sha256_of(file: Path) -> str:
    with file.open("rb") as opened:
        return _sha256(opened)


def _sha256(opened: Any) -> str:
    digest = hashlib.sha256()
    while chunk := opened.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()
