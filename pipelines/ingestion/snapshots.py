"""The bytes that upstreams sent: kept by sha256, with where and when they came from and which are accepted.

Belongs here: the store below warehouse/snapshots/, its records, and asking an upstream for new bytes.
Does not belong here: HTTP (fetch.py), or whether new bytes are good enough to be accepted (ingest.py).

    objects/<sha256>     the bytes
    <source>.json        what is accepted, what is offered and waits, what changed and why it was accepted
"""

import gzip
import hashlib
import json
import os
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from pipelines import catalog
from pipelines.catalog import Source
from pipelines.ingestion import fetch

MANIFEST = "manifest.json"
# What zipfile raises of damaged bytes: OSError and ValueError for places that cannot be in the file,
# RuntimeError for a packing or an encryption that it does not know.
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)
USER_AGENT = "open-training-emissions/0.1 (+https://arxiv.org/abs/2104.10350)"
AT_ONCE = 8
ENOUGH = 8  # failures after which the other files of a source are not asked for: it will not be whole
Progress = Callable[[str, int, int | None], None]


class SnapshotMissingError(Exception):
    """Bytes that a manifest or a record names are not in the store, or are not what their name says."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One file as a server sent it; `asked` is the address asked, `url` the one that it stands for."""

    file: str
    url: str
    asked: str
    sha256: str
    size_bytes: int
    retrieved_at: str
    http_status: int
    headers: dict[str, str]
    license: str


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is known of one source: files accepted, files offered since, and why those are not accepted."""

    accepted: dict[str, Snapshot] = field(default_factory=dict)
    offered: dict[str, Snapshot] = field(default_factory=dict)
    refused: str = ""
    change: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where to ask: the live servers, a mirror of them, or nobody; and which hosts cannot be reached."""

    mirror: str = ""
    offline: bool = False
    unreachable: set[str] = field(default_factory=set, compare=False)


def read_record(store: Path, source: str) -> Record:
    """The record of a source; an empty one if it was never had.

    Raises:
        SnapshotMissingError: the record cannot be read.
    """
    path = store / f"{source}.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Record()
    except json.JSONDecodeError as error:
        raise SnapshotMissingError(
            f"{path}: not JSON ({error}). Restore the file, or move it away to fetch {source} anew."
        ) from None
    for kind in ("accepted", "offered"):
        found[kind] = {file: Snapshot(**snapshot) for file, snapshot in found[kind].items()}
    return Record(**found)


def write_record(store: Path, source: str, record: Record) -> None:
    """Replace the record of a source, whole or not at all."""
    store.mkdir(parents=True, exist_ok=True)
    partial = store / f".{source}.json.partial"
    with partial.open("w", encoding="utf-8") as file:
        json.dump(asdict(record), file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(store / f"{source}.json")


def manifest(path: Path) -> dict[str, dict[str, Snapshot]]:
    """The files of every source that a release was built from, by source and file, from its manifest.json.

    Raises:
        SnapshotMissingError: the file is missing or not the manifest of a release.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["source_files"]
        found: dict[str, dict[str, Snapshot]] = {}
        for entry in entries:
            facts = {name: value for name, value in entry.items() if name != "source"}
            snapshot = Snapshot(asked="", headers={}, **facts)
            found.setdefault(entry["source"], {})[snapshot.file] = snapshot
    except FileNotFoundError:
        raise SnapshotMissingError(
            f"{path}: missing. Give the manifest.json of a release, below warehouse/releases/."
        ) from None
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise SnapshotMissingError(
            f"{path}: not the manifest of a release ({error!r}); expected JSON with source_files."
        ) from None
    return found


def pack(manifest_file: Path, store: Path, path: Path) -> None:
    """Write the bytes that a release was built from, with its manifest, as a zip; equal content, equal bytes.

    Left out is what may not be republished: the manifest says where it was had and its sha256.

    Raises:
        SnapshotMissingError: the store lacks bytes that the manifest names.
    """
    sources = catalog.sources()
    files = {
        snapshot.sha256: snapshot
        for source, snapshots in manifest(manifest_file).items()
        if sources[source].republish
        for snapshot in snapshots.values()
    }
    content = Files(store, {snapshot.sha256: snapshot for snapshot in files.values()})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, MANIFEST, manifest_file.read_bytes())
        for sha256 in sorted(files):
            _add(archive, f"objects/{sha256}", content[sha256])


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a file with neither the time nor the rights of this machine."""
    archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)


def unpack(path: Path, store: Path) -> Path:
    """Put the bytes of a packed release into the store; the manifest among them, to build from.

    Raises:
        SnapshotMissingError: the file is missing, no such zip, or holds other bytes than their names say.
    """
    (store / "objects").mkdir(parents=True, exist_ok=True)
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise SnapshotMissingError(f"{path}: missing. Give the inputs.zip of a release.") from None
    except (IsADirectoryError, PermissionError) as error:
        raise SnapshotMissingError(f"{path}: {error.strerror}. Give the inputs.zip of a release.") from None
    except UNREADABLE as error:
        raise SnapshotMissingError(f"{path}: not the inputs.zip of a release ({error}).") from None
    with archive:
        for name in archive.namelist():
            folder, _, sha256 = name.rpartition("/")
            if folder != "objects":
                continue
            content = _unpacked(archive, name)
            if hashlib.sha256(content).hexdigest() != sha256:
                raise SnapshotMissingError(f"{path}: {name} is damaged. Get the release again.")
            partial = store / "objects" / f".{sha256}.partial"
            partial.write_bytes(content)
            partial.replace(store / "objects" / sha256)
        told = _unpacked(archive, MANIFEST)
    unpacked = store / "inputs.json"
    unpacked.write_bytes(told)
    return unpacked


def _unpacked(archive: zipfile.ZipFile, name: str) -> bytes:
    """The content of one file of a zip.

    Raises:
        SnapshotMissingError: it is not in there, or damaged.
    """
    if name not in archive.namelist():
        raise SnapshotMissingError(f"{archive.filename}: not the inputs.zip of a release (no {name} in it).")
    try:
        return archive.read(name)
    except UNREADABLE as error:
        raise SnapshotMissingError(
            f"{archive.filename}: {name} is damaged ({error or type(error).__name__}). Get the release again."
        ) from None


class Files(Mapping[str, bytes]):
    """The bytes of some snapshots by file name, read from the store when asked for, and checked."""

    def __init__(self, store: Path, snapshots: Mapping[str, Snapshot]) -> None:
        """Over snapshots whose bytes lie in a store."""
        self._store = store
        self._snapshots = snapshots

    def __getitem__(self, file: str) -> bytes:
        """The bytes of a file.

        Raises:
            SnapshotMissingError: the store does not hold them, or holds others under their name.
        """
        snapshot = self._snapshots[file]
        path = self._store / "objects" / snapshot.sha256
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise SnapshotMissingError(
                f"{file}: {path} is missing. Copy it there, or build with a network and without --locked."
            ) from None
        if hashlib.sha256(content).hexdigest() != snapshot.sha256:
            raise SnapshotMissingError(f"{file}: {path} is damaged. Move it away and build with a network.")
        return content

    def __iter__(self) -> Iterator[str]:
        """The names, sorted."""
        return iter(sorted(self._snapshots))

    def __len__(self) -> int:
        """How many files there are."""
        return len(self._snapshots)


class _Asker:
    """Asks for the files of one source until it is clear that they will not be whole.

    A host that did not answer or wants no more requests is not asked for the next file, and one that cannot
    be reached at all is not asked for other sources either.
    """

    def __init__(self, store: Path, source: Source, origin: Origin, progress: Progress | None) -> None:
        self.store = store
        self.source = source
        self.origin = origin
        self.progress = progress
        self.local = threading.local()
        self.silent: dict[str, fetch.FetchError] = {}
        self.failures = 0

    def session(self) -> requests.Session:
        if not hasattr(self.local, "session"):
            self.local.session = fetch.session(USER_AGENT)
        session: requests.Session = self.local.session
        return session

    def ask(self, file: str, url: str, known: Snapshot | None) -> Snapshot | fetch.FetchError:
        """The present bytes of a file (those known, where nothing changed), or why they cannot be had."""
        if known and self.source.immutable and (self.store / "objects" / known.sha256).exists():
            return known
        if self.failures >= ENOUGH:
            return fetch.FetchError(f"the other files of {self.source.name} were not asked for", "incomplete")
        answer = self._live_or_mirrored(file, url, known)
        if isinstance(answer, fetch.FetchError) and not (
            file in self.source.optional and answer.kind == "gone"
        ):
            self.failures += 1
        return answer

    def _live_or_mirrored(self, file: str, url: str, known: Snapshot | None) -> Snapshot | fetch.FetchError:
        if not self.origin.mirror:
            return self._try(file, url, url, known)
        mirrored = f"{self.origin.mirror.rstrip('/')}/{quote(file)}"
        answer = self._try(file, url, mirrored, known)
        if isinstance(answer, fetch.FetchError) and answer.kind == "gone":
            packed = self._try(file, url, f"{mirrored}.gz", known)
            return answer if isinstance(packed, fetch.FetchError) and packed.kind == "gone" else packed
        return answer

    def _try(self, file: str, url: str, asked: str, known: Snapshot | None) -> Snapshot | fetch.FetchError:
        host = urlsplit(asked).netloc
        if error := self._given_up(host, asked):
            return error
        same = known if known and known.asked == asked else None
        partial = self.store / "objects" / f".{hashlib.sha256(asked.encode()).hexdigest()}.partial"
        hosts = frozenset({urlsplit(asked).hostname or ""}) if self.origin.mirror else self.source.hosts
        progress = self.progress
        try:
            got = fetch.download(
                self.session(),
                asked,
                partial,
                hosts=hosts,
                max_bytes=self.source.max_bytes,
                etag=same.headers.get("etag") if same else None,
                last_modified=same.headers.get("last-modified") if same else None,
                progress=(lambda done, total: progress(file, done, total)) if progress else None,
            )
        except fetch.FetchError as error:
            if error.kind in ("unreachable", "silent", "busy"):
                self.silent[host] = error
            if error.kind == "unreachable":
                self.origin.unreachable.add(host)
            return error
        if got is None:
            says = f"{asked}: 304 Not Modified, but no bytes of it are kept"
            return same or fetch.FetchError(says, "broken")
        packed = asked.endswith(".gz") and not file.endswith(".gz")
        sha256, size_bytes = _gunzipped(partial) if packed else (got.sha256, got.size_bytes)
        partial.replace(self.store / "objects" / sha256)
        if known and known.sha256 == sha256:
            return replace(known, asked=asked, headers=got.headers)
        return Snapshot(
            file=file,
            url=url,
            asked=asked,
            sha256=sha256,
            size_bytes=size_bytes,
            retrieved_at=datetime.now(UTC).isoformat(timespec="seconds"),
            http_status=got.status,
            headers=got.headers,
            license=self.source.license,
        )

    def _given_up(self, host: str, asked: str) -> fetch.FetchError | None:
        """Why a host is not asked again, if it is not."""
        if host in self.origin.unreachable and host not in self.silent:
            message = f"{fetch.shown(asked)}: not asked, since {host} cannot be reached"
            self.silent.setdefault(host, fetch.FetchError(message, "unreachable"))
        return self.silent.get(host)


def _gunzipped(file: Path) -> tuple[str, int]:
    """Replace a gzip file by what it holds; the sha256 and the size of that."""
    content = gzip.decompress(file.read_bytes())
    file.write_bytes(content)
    return hashlib.sha256(content).hexdigest(), len(content)


def ask(
    store: Path, source: Source, origin: Origin, progress: Progress | None = None
) -> tuple[dict[str, Snapshot], list[str]]:
    """The present files of a source and what stood in the way; all that came is kept in the store.

    Files that were not published (a 404 of an optional file) are left out. Where the main files cannot
    be had, the fallback ones are asked for.

    Returns:
        The files, and a message for each required file that could not be had: with one, they are not whole.
    """
    if origin.offline:
        return {}, ["no network was asked for (--offline)"]
    (store / "objects").mkdir(parents=True, exist_ok=True)
    record = read_record(store, source.name)
    known = {**record.accepted, **record.offered}
    files = {f: url for f, url in source.files.items() if origin.mirror or f not in source.mirror_only}
    got, problems = _ask_all(store, source, origin, files, known, progress)
    # A file that no live address is known for stays as a mirror once gave it.
    got |= {f: known[f] for f in source.mirror_only - files.keys() if f in known}
    if problems and source.fallback:
        instead, also = _ask_all(store, source, origin, source.fallback, known, progress)
        if instead and not also:
            return instead, []
        problems += also
    return got, problems


def _ask_all(
    store: Path,
    source: Source,
    origin: Origin,
    files: dict[str, str],
    known: dict[str, Snapshot],
    progress: Progress | None,
) -> tuple[dict[str, Snapshot], list[str]]:
    asker = _Asker(store, source, origin, progress)
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        answers = pool.map(lambda file: asker.ask(file, files[file], known.get(file)), files)
        found = dict(zip(files, answers, strict=True))
    got = {file: answer for file, answer in found.items() if isinstance(answer, Snapshot)}
    problems = [
        str(answer)
        for file, answer in found.items()
        if isinstance(answer, fetch.FetchError) and not (file in source.optional and answer.kind == "gone")
    ]
    return got, list(dict.fromkeys(problems))


def complete(store: Path, wanted: Mapping[str, Mapping[str, Snapshot]], origin: Origin) -> None:
    """Fetch what a release was built from and its inputs.zip may not hold, from where it was had.

    Args:
        store: where the bytes are kept.
        wanted: the files of every source, from the manifest.
        origin: whom to ask; nobody, if offline.

    Raises:
        SnapshotMissingError: they cannot be had, or other bytes are there now.
    """
    for name, snapshots in wanted.items():
        missing = [s for s in snapshots.values() if not (store / "objects" / s.sha256).exists()]
        problems: list[str] = []
        if missing and not origin.offline:
            _, problems = ask(store, catalog.sources()[name], origin)
        for snapshot in missing:
            if not (store / "objects" / snapshot.sha256).exists():
                why = "; ".join(problems) or ("offline" if origin.offline else "it has other bytes now")
                raise SnapshotMissingError(
                    f"{snapshot.file} may not be republished and is not in inputs.zip. It was had at "
                    f"{snapshot.url} ({why}). Put the bytes of sha256 {snapshot.sha256} under that name into "
                    f"{store / 'objects'}, or name a copy of the sources with --mirror."
                )
