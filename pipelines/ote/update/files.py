"""The files of one source as its server has them now, kept by checksum in a folder.

Belongs here: which files are asked for, and when to stop asking. Does not belong here: HTTP (fetch.py), or
whether the files are good enough to be accepted (rows.py).
"""

import gzip
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

import requests

from ote.catalog import Source
from ote.ingestion.baseline import FileFacts
from ote.update import fetch

USER_AGENT = "open-training-emissions/0.1 (+https://arxiv.org/abs/2104.10350)"
AT_ONCE = 8
ENOUGH = 8  # failures after which the other files of a source are not asked for: it will not be whole
PINNED = "pinned, not fetched: each address names one version of its file; --refetch asks all the same"
Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where to ask: the live servers, or a mirror of them; and which hosts cannot be reached.

    retrieved: when the mirror's copies were made (ISO 8601, UTC); empty: now.
    """

    mirror: str = ""
    retrieved: str = ""
    unreachable: set[str] = field(default_factory=set, compare=False)


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What came of one source. With problems its files are not whole, and are not to be used.

    unasked: why no file, or some files, were not asked for; empty where every file was.
    """

    source: str
    folder: Path
    files: dict[str, FileFacts]
    problems: list[str]
    unasked: str = ""


class Bytes(Mapping[str, bytes]):
    """The bytes of files by name, read when asked for."""

    def __init__(self, folder: Path, files: Mapping[str, FileFacts]) -> None:
        """Over files that `ask` put into a folder."""
        self._paths = {name: folder / facts.sha256 for name, facts in files.items()}

    def __getitem__(self, file: str) -> bytes:
        """The bytes of one file."""
        return self._paths[file].read_bytes()

    def __iter__(self) -> Iterator[str]:
        """The names, sorted."""
        return iter(sorted(self._paths))

    def __len__(self) -> int:
        """How many files there are."""
        return len(self._paths)


def ask(
    folder: Path,
    source: Source,
    server: Server,
    known: Mapping[str, FileFacts],
    *,
    refetch: bool = False,
    progress: Progress | None = None,
) -> Fetched:
    """The present files of a source; each is kept in the folder under its sha256.

    An optional file that was not published (404) is left out. Where the main files cannot be fetched, the
    fallback ones are. Where every file is as it was, nothing may be in the folder.

    Args:
        folder: where the bytes are kept.
        source: the source.
        server: where to ask.
        known: the files that the accepted rows were made from. Their servers may say that nothing changed.
        refetch: ask for the bytes of every file, whatever is known.
        progress: called with file, bytes so far and bytes expected.
    """
    if source.immutable and not refetch and set(source.files) <= {*known, *source.mirror_only}:
        return Fetched(source=source.name, folder=folder, files=dict(known), problems=[], unasked=PINNED)
    folder.mkdir(parents=True, exist_ok=True)
    asker = _Asker(folder, source, server, progress)
    files = {f: url for f, url in source.files.items() if server.mirror or f not in source.mirror_only}
    got, problems = asker.ask_all(files, {} if refetch else known)
    if problems and source.fallback:
        instead, also = _Asker(folder, source, server, progress).ask_all(source.fallback, {})
        got, problems = (instead, []) if instead and not also else (got, [*problems, *also])
    kept = {f: known[f] for f in source.mirror_only & known.keys() if f not in got}
    unasked = f"not fetched, without a live address: {', '.join(sorted(kept))}" if kept else ""
    return Fetched(source=source.name, folder=folder, files=got | kept, problems=problems, unasked=unasked)


def is_same(files: Mapping[str, FileFacts], known: Mapping[str, FileFacts]) -> bool:
    """Whether every file has the bytes that are known."""
    return {f: facts.sha256 for f, facts in files.items()} == {f: facts.sha256 for f, facts in known.items()}


class _Asker:
    """Asks for the files of one source until it is clear that they will not be whole.

    A host that did not answer or wants no more requests is not asked for the next file, and one that cannot
    be reached at all is not asked for other sources either.
    """

    def __init__(self, folder: Path, source: Source, server: Server, progress: Progress | None) -> None:
        self.folder = folder
        self.source = source
        self.server = server
        self.progress = progress
        self.local = threading.local()
        self.silent: dict[str, fetch.FetchError] = {}
        self.failures = 0

    def ask_all(
        self, files: Mapping[str, str], known: Mapping[str, FileFacts]
    ) -> tuple[dict[str, FileFacts], list[str]]:
        """The files that came, and a message for each required one that did not."""
        found = self._answers(files, known)
        got = {file: answer for file, answer in found.items() if isinstance(answer, FileFacts)}
        if not is_same(got, known):  # the bytes of the unchanged ones are needed as well
            again = {f: files[f] for f, facts in got.items() if not (self.folder / facts.sha256).exists()}
            found |= self._answers(again, {})
        got = {file: answer for file, answer in found.items() if isinstance(answer, FileFacts)}
        failed = {file: answer for file, answer in found.items() if isinstance(answer, fetch.FetchError)}
        problems = [str(error) for file, error in failed.items() if not self._is_optional(file, error)]
        return got, list(dict.fromkeys(problems))

    def _answers(
        self, files: Mapping[str, str], known: Mapping[str, FileFacts]
    ) -> dict[str, FileFacts | fetch.FetchError]:
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            answers = pool.map(lambda file: self._ask(file, files[file], known.get(file)), files)
            return dict(zip(files, answers, strict=True))

    def _is_optional(self, file: str, error: fetch.FetchError) -> bool:
        return file in self.source.optional and error.kind == "gone"

    def _ask(self, file: str, url: str, known: FileFacts | None) -> FileFacts | fetch.FetchError:
        if self.failures >= ENOUGH:
            return fetch.FetchError(f"the other files of {self.source.name} were not asked for", "incomplete")
        answer = self._live_or_mirrored(file, url, known)
        if isinstance(answer, fetch.FetchError) and not self._is_optional(file, answer):
            self.failures += 1
        return answer

    def _live_or_mirrored(self, file: str, url: str, known: FileFacts | None) -> FileFacts | fetch.FetchError:
        if not self.server.mirror:
            return self._try(file, url, url, known)
        mirrored = f"{self.server.mirror.rstrip('/')}/{quote(file)}"
        answer = self._try(file, url, mirrored, known)
        if isinstance(answer, fetch.FetchError) and answer.kind == "gone":
            packed = self._try(file, url, f"{mirrored}.gz", known)
            return answer if isinstance(packed, fetch.FetchError) and packed.kind == "gone" else packed
        return answer

    def _try(self, file: str, url: str, asked: str, known: FileFacts | None) -> FileFacts | fetch.FetchError:
        host = urlsplit(asked).netloc
        if error := self._given_up(host, asked):
            return error
        partial = self.folder / f".{hashlib.sha256(asked.encode()).hexdigest()}.partial"
        mirror_host = urlsplit(asked).hostname or ""
        version = known if known and not self.server.mirror else None  # a mirror has versions of its own
        progress = self.progress
        try:
            got = fetch.download(
                self._session(),
                asked,
                partial,
                hosts=frozenset({mirror_host}) if self.server.mirror else self.source.hosts,
                max_bytes=self.source.max_bytes,
                etag=version.etag or None if version else None,
                last_modified=version.last_modified or None if version else None,
                progress=(lambda done, total: progress(file, done, total)) if progress else None,
            )
        except fetch.FetchError as error:
            if error.kind in ("unreachable", "silent", "busy"):
                self.silent[host] = error
            if error.kind == "unreachable":
                self.server.unreachable.add(host)
            return error
        if got is None:
            says = f"{asked}: 304 Not Modified, but this version is not known"
            return version or fetch.FetchError(says, "broken")
        packed = asked.endswith(".gz") and not file.endswith(".gz")
        sha256, size_bytes = _gunzipped(partial) if packed else (got.sha256, got.size_bytes)
        partial.replace(self.folder / sha256)
        validators = {} if self.server.mirror else got.headers
        facts = FileFacts(
            source=self.source.name,
            file=file,
            url=url,
            sha256=sha256,
            size_bytes=size_bytes,
            http_status=got.status,
            retrieved_at=self.server.retrieved or datetime.now(UTC).isoformat(timespec="seconds"),
            etag=validators.get("etag", ""),
            last_modified=validators.get("last-modified", ""),
        )
        if known and known.sha256 == sha256 and not self.server.retrieved:
            return replace(facts, retrieved_at=known.retrieved_at)
        return facts

    def _session(self) -> requests.Session:
        if not hasattr(self.local, "session"):
            self.local.session = fetch.session(USER_AGENT)
        session: requests.Session = self.local.session
        return session

    def _given_up(self, host: str, asked: str) -> fetch.FetchError | None:
        """Why a host is not asked again, if it is not."""
        if host in self.server.unreachable and host not in self.silent:
            message = f"{fetch.shown(asked)}: not asked, since {host} cannot be reached"
            self.silent.setdefault(host, fetch.FetchError(message, "unreachable"))
        return self.silent.get(host)


def _gunzipped(file: Path) -> tuple[str, int]:
    """Replace a gzip file by what it holds; the sha256 and the size of that."""
    content = gzip.decompress(file.read_bytes())
    file.write_bytes(content)
    return hashlib.sha256(content).hexdigest(), len(content)
