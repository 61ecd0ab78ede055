"""Put a release where others get it, and get one from there: folders, S3-compatible stores, web servers.

Belongs here: the order in which files are copied, and what is left when that is cut short. Does not belong
here: what a release is (release.py), whether one is whole (verification.py), or printing (cli/releases.py).

Stores are reached by fsspec: a path, s3://bucket/prefix (with s3fs), http://host/path (to get only).

    VERSION/     a release; never changed
    latest/      a copy of the highest release, for addresses that stay: files, since stores have no links
    index.json   names every version; written last: a version that it does not name is not there yet
    site/        the pages of the highest release
"""

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import aiohttp
import fsspec
from fsspec.implementations.local import LocalFileSystem

from ote import catalog, documents
from ote.errors import Error
from ote.names import one_line, shown
from ote.releases import folders, reading, release

INDEX = "index.json"
PARTIAL_CONTENT, RANGE_NOT_SATISFIABLE = 206, 416  # answers to a request for a part of a file
CHUNK_BYTES = 1 << 20
# A file may take as long as a slow line needs (aiohttp gives up after five minutes); silence may not.
PATIENCE = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60)

# An address, or a folder, which does not begin like one: fsspec takes `s3://` and the empty word for folders.
PLACE = re.compile(r"s3://[^/]+.*|https?://[^/]+.*|file:///.+|(?![\w+.-]+:).*\S.*", re.DOTALL)

# The most that is taken from a store: a release of today has 19 MB, and its largest file 7 MB.
FILE_BYTES, RELEASE_BYTES = 2 << 30, 4 << 30
SHOWN_VERSIONS = 10

Progress = Callable[[str, int, int], None]


# What stores raise when they cannot be reached (s3fs translates answers to OSError, and neither what botocore
# raises before there is one, nor what aiohttp does), or answer what is no index (ValueError).
S3_ERRORS = (import_module("botocore.exceptions").BotoCoreError,) if find_spec("botocore") else ()  # an extra
UNREACHABLE = (OSError, aiohttp.ClientError, ValueError, *S3_ERRORS)
ADVICE = {
    "NoCredentialsError": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the credentials of the store",
    "EndpointConnectionError": "see that AWS_ENDPOINT_URL is the store's, and that it answers",
}


class NotPublishedError(Error):
    """The release was not put there or not got; the message says why, and what to do."""


class MalformedSourceError(NotPublishedError):
    """An address, or what describes releases or one of them, is not of the form that it is written in."""


class CutShortError(NotPublishedError):
    """A download ended before its end; the same command goes on."""


def publish(folder: Path, target: str, progress: Progress = lambda name, done, total: None) -> None:
    """Copy a release to a target: its files, then those of latest/, then its index entry.

    Run again, it goes on where it was cut short. In latest/ each file is replaced whole, and SHA256SUMS last,
    so its checksums say whether all files there are of one release.

    Raises:
        NotPublishedError: the version is published already, is a draft, is not whole, or its folder has
            another name.
    """
    folder = folder.resolve()
    _require_release(folder)
    store, root = _store(target)
    if "http" in store.protocol:
        raise MalformedSourceError(
            f"{target}: nothing can be put at http://; expected a folder or s3://bucket/prefix."
        )
    known = _index(store, root)
    if any(entry["version"] == folder.name for entry in known):
        raise NotPublishedError(
            f"{target}: {folder.name} is published; a published version is never changed."
        )
    entries = [*known, release.entry(folder)]
    try:
        _copy(store, folder, f"{root}/{folder.name}", progress)
        if release.highest(entry["version"] for entry in entries) == folder.name:
            _copy(store, folder, f"{root}/{release.LATEST}", progress)
        _put_text(store, release.index_text(entries), root)  # last: what it names is not published again
    except UNREACHABLE as error:
        raise NotPublishedError(
            f"{target}: {_said(error)}. {folder.name} is not published; run it again."
        ) from None


def _require_release(folder: Path) -> None:
    """Refuse a folder that is not, as it is named, a whole release."""
    try:
        reading.verify(folder)
        about = reading.manifest(folder)
    except reading.MalformedReleaseError as error:
        raise MalformedSourceError(str(error)) from None
    except (reading.BrokenReleaseError, OSError) as error:
        raise NotPublishedError(str(error)) from None
    if uncommitted := about["uncommitted"]:
        listed = one_line(", ".join(uncommitted))
        raise NotPublishedError(f"{folder.name} is a draft: not committed are {listed}.")
    if why := about.get("draft"):
        raise NotPublishedError(f"{folder.name} is a draft: {one_line(why)}.")
    if about["version"] != folder.name:
        raise NotPublishedError(
            f"{folder}: its version is {about['version']}, and so must be its name; it is published under it."
        )


def _copy(store: Any, folder: Path, target: str, progress: Progress) -> None:
    """Copy a release to a folder of a store, its checksums last; no other file stays there."""
    names = [*reading.checksums(folder), reading.SUMS]
    if "file" in store.protocol and Path(target).is_symlink():  # what latest was in earlier versions
        Path(target).unlink()
    for number, name in enumerate(names, 1):
        progress(f"{target.rpartition('/')[2]}/{name}", number, len(names))
        _put(store, folder, name, target)
    _remove_others(store, target, names)


def _remove_others(store: Any, folder: str, names: Iterable[str]) -> None:
    """Remove each file below a folder of a store that is not named; no link is followed."""
    if "file" in store.protocol:
        home = Path(folder)
        for name in folders.listing(home)[0].keys() - {*names}:
            (home / name).unlink()
            for parent in (home / name).relative_to(home).parents[:-1]:
                with suppress(OSError):  # it has other files
                    (home / parent).rmdir()
    elif others := sorted({*store.find(folder)} - {f"{folder}/{name}" for name in names}):
        store.rm(others)


def is_latest(version: str, target: str) -> bool:
    """Whether a published version is the highest of those at a target."""
    return version == release.highest(entry["version"] for entry in _index(*_store(target)))


def put_site(site: Path, target: str) -> None:
    """Copy the pages of a release next to the published releases; what was there and is not a page now goes.

    Args:
        site: the folder of the pages; it keeps its name.
        target: where releases are published.

    Raises:
        NotPublishedError: the target cannot be written.
    """
    store, root = _store(target)
    if "http" in store.protocol:
        raise NotPublishedError(
            f"{target}: nothing can be put at http://; expected a folder or s3://bucket/prefix."
        )
    files = sorted(file for file in site.rglob("*") if file.is_file())
    there, names = f"{root}/{site.name}", [file.relative_to(site).as_posix() for file in files]
    wanted = [f"{there}/{name}" for name in names]
    try:
        if "file" in store.protocol:
            for folder in {Path(path).parent for path in wanted}:
                folder.mkdir(parents=True, exist_ok=True)
        store.put([str(file) for file in files], wanted)
        _remove_others(store, there, names)
    except UNREACHABLE as error:
        raise NotPublishedError(f"{target}: {_said(error)}. Not all pages are there.") from None


def address(source: str) -> str:
    """Where to download from: as given, else the public address of the catalog.

    Raises:
        MalformedSourceError: there is none, or it has a null character, as no address has.
    """
    if (given := source or catalog.public_url()) and "\0" not in given:
        return given
    raise MalformedSourceError("Give --from, the address or folder where releases are published.")


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
    wanted = release.highest(known) if version == release.LATEST else version
    if wanted not in known:
        there = ", ".join([*known][-SHOWN_VERSIONS:]) + (", and older ones" * (len(known) > SHOWN_VERSIONS))
        raise NotPublishedError(f"{source}: {shown(version)[1:-1]} is not published. There are: {there}.")
    entry, final = known[wanted], target / wanted
    if final.exists() or final.is_symlink():
        _require_same(final, entry["sha256"])
        return final
    partial = target / f".{wanted}.download"
    there = f"{root}/{quote(wanted) if 'http' in store.protocol else wanted}"
    try:
        partial.mkdir(parents=True, exist_ok=True)
        _download(store, there, partial, entry, progress)
        partial.rename(final)
    except CutShortError:
        raise
    except NotPublishedError:
        _remove(partial)
        raise
    except documents.MalformedError as error:
        _remove(partial)
        raise MalformedSourceError(
            f"{one_line(str(error))}: {there}/{reading.SUMS} is not the checksum file of a release. "
            "Nothing was kept."
        ) from None
    except OSError as error:
        raise NotPublishedError(f"{target}: {error}. {wanted} was not put there.") from None
    return final


def _require_same(final: Path, sha256: str) -> None:
    """Refuse a folder of a version that is not, byte for byte, what the index names."""
    try:
        reading.verify(final)
        with folders.opened(final.resolve(), reading.SUMS) as file:
            found = folders.sha256(file)
    except (reading.BrokenReleaseError, OSError) as error:
        raise NotPublishedError(f"{final} exists and is damaged: {error}") from None
    if found != sha256:
        raise NotPublishedError(
            f"{final} exists, and is not what is published under that version: its {reading.SUMS} is not the "
            "one that the index names. Move the folder away, and get it again."
        )


def _download(store: Any, there: str, partial: Path, entry: dict[str, Any], progress: Progress) -> None:
    """Fetch what lacks of a release into a folder, which then holds its files and nothing else.

    Raises:
        NotPublishedError, CutShortError, MalformedError, OSError: as get says it.
    """
    left = min(entry.get("size_bytes", RELEASE_BYTES), RELEASE_BYTES)
    if entry.get("size_bytes", 0) > RELEASE_BYTES:
        raise NotPublishedError(
            f"{there}: {entry['size_bytes']:,} bytes, by the index; at most {RELEASE_BYTES:,} are taken."
        )
    limit = min(left, reading.SUMS_BYTES)
    left -= _fetch(store, there, partial, reading.SUMS, entry["sha256"], limit)
    content = folders.read(partial, reading.SUMS, reading.SUMS_BYTES)
    sums = reading.parse_sums(content, f"{there}/{reading.SUMS}")
    present, others = folders.listing(partial)
    strange = [
        *others,
        *(f"{name} is not part of the release" for name in present.keys() - sums - {reading.SUMS}),
    ]
    if strange:
        raise NotPublishedError(
            f"{partial}: {one_line('; '.join(sorted(strange)))}. It was removed; run the command again."
        )
    for number, (name, sha256) in enumerate(sums.items(), 1):
        progress(name, number, len(sums))
        left -= _fetch(store, there, partial, name, sha256, min(left, FILE_BYTES))
    noon = datetime.fromisoformat(f"{entry['date']}T12:00:00+00:00").timestamp()
    with folders.opened(partial, reading.SUMS) as file:
        os.utime(file.fileno(), (noon, noon))  # which the day of a release is read from (release.entry)


def _remove(partial: Path) -> None:
    """Take a download away; of a link, the link alone."""
    if partial.is_symlink():
        partial.unlink()
    else:
        shutil.rmtree(partial, ignore_errors=True)


def _store(address: str) -> tuple[Any, str]:
    """The store of an address, and the path in it."""
    if not PLACE.fullmatch(address):
        raise MalformedSourceError(
            f"{address!r}: expected a folder, s3://bucket/prefix, or for a download https://host/prefix."
        )
    if "://" not in address or address.startswith("file://"):  # to fsspec, a folder a::b would be two stores
        return LocalFileSystem(), str(Path(address.removeprefix("file://")).resolve())
    try:
        # What a server marks as packed, such as .csv.gz, is published packed, and stays so.
        web = {"client_kwargs": {"timeout": PATIENCE, "auto_decompress": False}}
        options = web if address.startswith("http") else {}
        store, root = fsspec.core.url_to_fs(address.rstrip("/"), **options)
    except ImportError as error:
        raise NotPublishedError(f"{address}: {error}.") from None
    return store, root


def _index(store: Any, root: str) -> list[dict[str, Any]]:
    """The entries of an index; none where there is no index.

    Raises:
        NotPublishedError: it cannot be read, or has nothing of an index.
        MalformedSourceError: it is not of the form of an index.
    """
    where = f"{root}/{INDEX}"
    try:
        with _opened(store, where) as there:
            content = bytearray()
            while len(content) <= reading.INDEX_BYTES and (chunk := there.read(CHUNK_BYTES)):
                content += chunk
    except FileNotFoundError:
        return []
    except UNREACHABLE as error:
        raise NotPublishedError(f"{where} cannot be read: {one_line(_said(error))}") from None
    if len(content) > reading.INDEX_BYTES:
        raise MalformedSourceError(
            f"{where} is not the index of published releases: more than {reading.INDEX_BYTES:,} bytes."
        )
    try:
        return reading.index_entries(bytes(content), where)
    except documents.MalformedError as error:
        raise MalformedSourceError(f"{error}: this is not the index of published releases.") from None


@contextmanager
def _opened(store: Any, path: str, begin: int = 0) -> Iterator[Any]:
    """A file of a store from a byte on, read as it comes; None where the store sends no part of one.

    A web server is asked by hand: what reads ahead takes as much as it sends.
    """
    if "http" in store.protocol:
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={begin}-"} if begin else {})
        try:
            stream = store.open(path, "rb", block_size=0, size=1, headers=headers)
        except aiohttp.ClientResponseError as error:
            if begin and error.status == RANGE_NOT_SATISFIABLE:
                yield None
                return
            raise
        with stream:
            yield None if begin and stream.r.status != PARTIAL_CONTENT else stream
        return
    if "file" in store.protocol and Path(path).exists() and not Path(path).is_file():
        raise OSError(f"{path} is not a file")
    with store.open(path, "rb") as stream:
        stream.seek(begin)
        yield stream


def _said(error: Exception) -> str:
    """What a store said, and what to do where it does not say so."""
    advice = ADVICE.get(type(error).__name__)
    said = str(error) or type(error).__name__  # a timeout says nothing
    return f"{said}; {advice}" if advice else said


def _put(store: Any, folder: Path, name: str, target: str) -> None:
    """Copy one file; a file of equal bytes stays, and on a local disk none is seen half-written."""
    with folders.opened(folder, name) as here:
        if "file" in store.protocol:
            Path(target).mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError), folders.opened(Path(target), name) as there:
                if folders.sha256(there) == folders.sha256(here):
                    return
            here.seek(0)
            with folders.replacing(Path(target), name) as there:
                shutil.copyfileobj(here, there, CHUNK_BYTES)
            return
        path = f"{target}/{name}"
        if store.exists(path) and store.size(path) == os.fstat(here.fileno()).st_size:
            with store.open(path, "rb") as there:
                if folders.sha256(there) == folders.sha256(here):
                    return
        store.put_file(str(folder / name), path)


def _put_text(store: Any, text: str, root: str) -> None:
    if "file" in store.protocol:
        with folders.replacing(Path(root), INDEX) as file:
            file.write(text.encode())
    else:
        store.pipe_file(f"{root}/{INDEX}", text.encode())


def _fetch(store: Any, there: str, partial: Path, name: str, sha256: str, limit: int) -> int:
    """Fetch what lacks of a file; the bytes of the whole."""
    path = f"{there}/{name}"
    with folders.continued(partial, name) as file:
        if (size := os.fstat(file.fileno()).st_size) and folders.sha256(file) == sha256:
            return _within(size, limit, path)
        try:
            for begin in [size, 0] if size else [0]:
                if _copied(store, path, file, begin, limit) and folders.sha256(file) == sha256:
                    return file.tell()
        except FileNotFoundError:
            raise NotPublishedError(f"{path}: missing, though the index names its version.") from None
        except UNREACHABLE as error:
            said = one_line(_said(error))
            raise CutShortError(
                f"{path}: {said}. The downloaded part is kept. Run the command again to continue."
            ) from None
    raise NotPublishedError(
        f"{path}: its bytes are not those that were published. Nothing was kept; try again."
    )


def _copied(store: Any, path: str, file: IO[bytes], begin: int, limit: int) -> bool:
    """Copy a file from a byte on; False where the store sends no part of one.

    Raises:
        NotPublishedError: it has more bytes than it may.
    """
    with _opened(store, path, begin) as stream:
        if stream is None:
            return False
        file.seek(begin)
        file.truncate()
        while chunk := stream.read(CHUNK_BYTES):
            _within(file.tell() + len(chunk), limit, path)
            file.write(chunk)
    file.flush()
    return True


def _within(size: int, limit: int, path: str) -> int:
    if size > limit:
        raise NotPublishedError(
            f"{path}: more than the {limit:,} bytes that it may have, by the index or at most. "
            "Nothing was kept."
        )
    return size
