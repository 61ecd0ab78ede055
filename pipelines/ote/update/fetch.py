"""One file over HTTP, whole and checked, or an error that says what came instead.

Belongs here: asking, redirects, retries, limits, and whether the bytes are a whole file of the kind that
the address ends in: .zip, .gz, .json, and text for every other ending. Does not belong here: where bytes are
kept (files.py), or what they mean: character set, columns and headers are the parsers' business.
"""

import gzip
import hashlib
import json
import lzma
import os
import random
import re
import secrets
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path, PureWindowsPath
from typing import IO, Literal
from urllib.parse import urljoin, urlsplit

import requests
from requests.utils import requote_uri
from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError

CONNECT_S, READ_S = 10.0, 30.0
PAUSE_S = 1.0  # before the second try, doubled before each further one
LONGEST_WAIT_S = 60.0
TRIES = 4
REDIRECTS = 5
BLOCK = 65_536
UNPACKED = 20  # a zip may unpack to this many times the cap on a file
RATIO = 300  # and to this many times its own size; tables reach about 50, a bomb 1,000

Kind = Literal["unreachable", "silent", "gone", "forbidden", "busy", "broken", "redirected", "incomplete"]
Progress = Callable[[int, int | None], None]
ADVICE: dict[Kind, str] = {
    "unreachable": "Check the network and the address, then try again.",
    "silent": "The server is there but did not answer: try again later.",
    "gone": "It was moved or removed: look for its new address on the producer's page.",
    "forbidden": "Check the address in a browser: it must be public, and its host named in catalog.yaml.",
    "busy": "Nothing is wrong with the address; try again later.",
    "broken": "Try again; if it stays so, open the address in a browser to see what the producer changed.",
    "redirected": "If the producer did move there, change the address or add the host in catalog.yaml.",
    "incomplete": "See why the first ones failed.",
}


class FetchError(Exception):
    """A file could not be had: what came, what was expected, what to do; `kind` is for programs.

    `tries` says how many tries such an error is worth in all, `wait_s` how long the server asks to wait.
    """

    def __init__(self, message: str, kind: Kind, *, tries: int = 1, wait_s: float = 0) -> None:  # noqa: D107
        super().__init__(f"{message}. {ADVICE[kind]}")
        self.kind, self.tries, self.wait_s = kind, tries, wait_s


@dataclass(frozen=True)
class Download:
    """What came: `headers` under lower-case names, `sha256` and `size_bytes` of the file as written."""

    status: int
    headers: dict[str, str]
    sha256: str
    size_bytes: int


def session(user_agent: str) -> requests.Session:
    """A session that asks for files as they are, and heeds no proxy or login of the environment."""
    made = requests.Session()
    made.trust_env = False
    made.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    made.headers.update({"User-Agent": user_agent, "Accept-Encoding": "identity"})
    return made


def download(
    session: requests.Session,
    url: str,
    destination: Path,
    *,
    hosts: frozenset[str],
    max_bytes: int,
    deadline_s: float = 300,
    etag: str | None = None,
    last_modified: str | None = None,
    progress: Progress | None = None,
) -> Download | None:
    """Write the file at an address to `destination`, all of it or nothing; None where it has not changed.

    Args:
        session: from `session`.
        url: http or https, without credentials.
        destination: replaced in one rename, in a folder that exists.
        hosts: the names that may be asked, that of `url` included.
        max_bytes: cap on the file as sent and as decoded.
        deadline_s: for everything together, tries and pauses included.
        etag: of the version at hand; with it, or `last_modified`, the server may say that nothing changed.
        last_modified: the same by date.
        progress: called with the bytes written and the bytes expected, if known; a new try begins at 0.

    Raises:
        FetchError: nothing was written, and `destination` is what it was.
    """
    validators = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    conditions = {name: value for name, value in validators.items() if value}
    suffix, deadline, tried = Path(urlsplit(url).path).suffix.lower(), time.monotonic() + deadline_s, 0
    while True:
        part = destination.with_name(f".{secrets.token_hex(8)}.part")
        try:
            with _ask(session, url, hosts, conditions, deadline) as response:
                if response.status_code == 304:
                    return None
                whole, sha256 = _write(response, suffix, part, max_bytes, deadline, progress)
            _check(part, suffix, max_bytes, whole)
            kept = ("etag", "last-modified", "content-type", "date")
            headers = {name: response.headers[name] for name in kept if name in response.headers}
            got = Download(response.status_code, headers, sha256, part.stat().st_size)
            part.replace(destination)
            return got
        except FetchError as error:
            pause = max(error.wait_s, PAUSE_S * 2**tried * random.uniform(0.5, 1.5))
            tried += 1
            if tried >= error.tries or time.monotonic() + pause >= deadline:
                error.args = (f"{shown(url)}: {error}" + (f" (Tried {tried} times.)" if tried > 1 else ""),)
                raise
        finally:
            part.unlink(missing_ok=True)
        time.sleep(pause)


def shown(url: str) -> str:
    """An address for a message, without credentials."""
    return re.sub(r"//[^/?#]*@", "//", url)


def _ask(
    session: requests.Session, url: str, hosts: frozenset[str], conditions: dict[str, str], deadline: float
) -> requests.Response:
    """The answer that holds the file, its body unread, after redirects that never leave `hosts`."""
    asked = _allowed(url, "", hosts)
    for _ in range(REDIRECTS + 1):
        response = _send(session, asked, conditions, deadline)
        target = session.get_redirect_target(response)
        if target is None:
            return _accepted(response, conditions)
        response.close()
        asked = _allowed(target, asked, hosts)
    raise FetchError(f"redirected more than {REDIRECTS} times, expected a file", "redirected")


def _allowed(target: str, before: str, hosts: frozenset[str]) -> str:
    """The address as it will be sent, if it may be asked at all; `before` is the one that led to it."""
    kind: Kind = "redirected" if before else "forbidden"
    try:
        url = requote_uri(urljoin(before, target))
        parts = urlsplit(url)
        scheme, host = parts.scheme, parts.hostname
    except ValueError as error:
        raise FetchError(f"{kind}: not an address ({error}), expected http or https", kind) from None
    # The query of a redirect stays out of messages: it may hold a signature.
    came = f"redirected to {shown(url).partition('?')[0]}" if before else "not asked"
    if scheme not in ("http", "https") or (before.startswith("https:") and scheme == "http"):
        expected = "https" if before.startswith("https:") else "http or https"
        raise FetchError(f"{came}: the scheme is {scheme or 'missing'}, expected {expected}", kind)
    if "@" in parts.netloc:
        raise FetchError(f"{came}: the address holds credentials, expected none", kind)
    if host not in hosts:
        raise FetchError(f"{came}: the host is {host}, expected {' or '.join(sorted(hosts))}", kind)
    return url


def _send(session: requests.Session, url: str, headers: dict[str, str], deadline: float) -> requests.Response:
    """One request, no redirect followed, only the headers read.

    In a thread that is left behind at the deadline: neither a name lookup nor headers that drip have a
    timeout of their own. The adapter is asked, as the session would read the whole body of a redirect.
    """
    left = max(deadline - time.monotonic(), 0.001)
    answer: Future[requests.Response] = Future()

    def ask() -> None:
        try:
            request = session.prepare_request(requests.Request("GET", url, headers=headers))
            adapter, timeout = session.get_adapter(url), (min(CONNECT_S, left), min(READ_S, left))
            verify = True if session.verify is None else session.verify
            answer.set_result(adapter.send(request, stream=True, timeout=timeout, verify=verify))
        except Exception as error:  # noqa: BLE001, handed on to the caller
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        return answer.result(timeout=left)
    except TimeoutError:
        raise FetchError("no answer before the deadline, expected a file", "silent") from None
    except (requests.RequestException, HTTPError) as error:
        cause = error.args[0] if error.args else error
        cause = getattr(cause, "reason", None) or cause
        # A connection that broke may hold the next time; a name or a closed port will hardly change.
        broke = isinstance(cause, ProtocolError)
        kind: Kind = "silent" if broke or isinstance(cause, ReadTimeoutError) else "unreachable"
        message = f"no answer ({type(cause).__name__}: {cause}), expected a file"
        raise FetchError(message, kind, tries=TRIES if broke else 2) from error


def _accepted(response: requests.Response, conditions: dict[str, str]) -> requests.Response:
    """The answer if it is 200, or 304 where a version was named; else the error of its status."""
    status = response.status_code
    if status == 200 or (status == 304 and conditions):
        return response
    response.close()
    came = f"HTTP {status} {response.reason}, expected 200 and the file"
    if status == 429 or status >= 500:
        wait_s = _retry_after(response.headers.get("Retry-After", ""))
        if wait_s:
            when = datetime.now(UTC) + timedelta(seconds=wait_s)
            came += f"; the server wants no request before {when:%Y-%m-%d %H:%M:%S} UTC"
        tries = TRIES if status in (429, 500, 502, 503, 504) and wait_s <= LONGEST_WAIT_S else 1
        raise FetchError(came, "busy", tries=tries, wait_s=wait_s)
    kinds: dict[int, Kind] = {401: "forbidden", 403: "forbidden", 404: "gone", 410: "gone"}
    raise FetchError(came, kinds.get(status, "broken"))


def _retry_after(header: str) -> float:
    """The seconds that a server asks to wait, given as such or as a date; 0 where it says nothing legible."""
    if re.fullmatch(r"[0-9]{1,8}", header.strip()):
        return float(header)
    try:
        date = parsedate_to_datetime(header)
    except ValueError:
        return 0
    return max((date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0)


def _write(
    response: requests.Response,
    suffix: str,
    part: Path,
    max_bytes: int,
    deadline: float,
    progress: Progress | None,
) -> tuple[bool, str]:
    """Write the decoded body; whether the transfer itself showed that it is whole, and its sha256."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise FetchError(f"Content-Encoding {encoding}, expected identity", "broken")
    # A server that labels a .gz file with the encoding "gzip" means the file itself.
    packed = "gzip" in encoding and suffix != ".gz"
    declared: int | None = response.raw.length_remaining
    says = (
        " once decoded"
        if packed
        else " of no declared size"
        if declared is None
        else f": {declared:,} declared"
    )
    too_big = FetchError(f"more bytes than the cap{says}, expected at most {max_bytes:,}", "broken")
    if declared is not None and declared > max_bytes:
        raise too_big
    size, digest, blocks = 0, hashlib.sha256(), _blocks(response, declared, deadline)
    with part.open("xb") as file:
        for block in _gunzip(blocks) if packed else blocks:
            size += len(block)
            if size > max_bytes:
                raise too_big
            file.write(block)
            digest.update(block)
            if progress:
                progress(size, None if packed else declared)
        file.flush()
        os.fsync(file.fileno())
    return declared is not None or response.raw.chunked or packed, digest.hexdigest()


def _blocks(response: requests.Response, declared: int | None, deadline: float) -> Iterator[bytes]:
    """The body in the pieces that it comes in: waiting for a full block would outlast the deadline."""
    size, expected = 0, "the end of the body" if declared is None else f"{declared:,} bytes"
    try:
        while block := response.raw.read1(BLOCK, decode_content=False):
            size += len(block)
            if time.monotonic() > deadline:
                raise FetchError(f"too slow: {size:,} bytes when time was up, expected {expected}", "broken")
            yield block
    except HTTPError as error:
        message = f"cut after {size:,} bytes ({type(error).__name__}), expected {expected}"
        raise FetchError(message, "broken", tries=TRIES) from error


def _gunzip(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Decode gzip, which may be several streams one after the other, in pieces of bounded size."""
    decoder = zlib.decompressobj(wbits=31)
    try:
        for packed in blocks:
            while packed or not decoder.eof:
                decoder = zlib.decompressobj(wbits=31) if decoder.eof else decoder
                block = decoder.decompress(packed, BLOCK)
                packed = decoder.unused_data or decoder.unconsumed_tail
                if not block and not packed:
                    break
                yield block
    except zlib.error as error:
        raise FetchError(f"not gzip ({error}), expected it by the Content-Encoding", "broken") from None
    if not decoder.eof:
        raise FetchError("cut within a gzip stream, expected its end", "broken", tries=TRIES)


def _check(part: Path, suffix: str, max_bytes: int, whole: bool) -> None:
    """See that a file is what its address ends in, and whole even where the transfer could not show it."""
    check = {".zip": _check_zip, ".gz": _check_gzip, ".json": _check_json}.get(suffix, _check_text)
    with part.open("rb") as file:
        begins = file.read(40)
    try:
        if not begins:
            raise ValueError("no bytes at all")
        check(part, max_bytes, whole)
    # What zipfile, gzip and json raise for damaged bytes; RuntimeError for encrypted or nested too deep.
    except (ValueError, RuntimeError, OSError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError) as e:
        begin = "" if b"\0" in begins else f", which begin {begins!r}"
        message = f"{str(e) or type(e).__name__} ({part.stat().st_size:,} bytes{begin})"
        message += f", expected a whole {suffix or 'text'} file"
        raise FetchError(message, "broken", tries=1 if whole else TRIES) from e


def _check_zip(part: Path, max_bytes: int, whole: bool) -> None:
    """Harmless names, no bomb by what it declares or by what comes out, and every checksum right."""
    cap = min(UNPACKED * max_bytes, RATIO * part.stat().st_size)
    with zipfile.ZipFile(part) as archive:
        members = archive.infolist()
        if not members:
            raise ValueError("a zip without a file")
        for member in members:
            path = PureWindowsPath(member.filename)  # it knows both slashes, and drives
            if path.anchor or ".." in path.parts:
                raise ValueError(f"a zip with a member outside its own folder, {member.filename!r}")
        if sum(member.file_size for member in members) > cap:
            raise ValueError(f"a bomb that unpacks to more than {cap:,} bytes")
        unpacked = 0
        for member in members:
            with archive.open(member) as file:
                unpacked = _read_through(file, unpacked, cap)


def _check_gzip(part: Path, max_bytes: int, whole: bool) -> None:
    with gzip.open(part) as file:
        _read_through(file, 0, max_bytes)


def _read_through(file: IO[bytes] | gzip.GzipFile, unpacked: int, cap: int) -> int:
    """Unpack a stream to its end; the bytes unpacked so far with those of this one."""
    while block := file.read(BLOCK):
        unpacked += len(block)
        if unpacked > cap:
            raise ValueError(f"a bomb that unpacks to more than {cap:,} bytes")
    return unpacked


def _check_json(part: Path, max_bytes: int, whole: bool) -> None:
    json.loads(part.read_bytes())


def _check_text(part: Path, max_bytes: int, whole: bool) -> None:
    with part.open("rb") as file:
        block = file.read(BLOCK)
        if re.match(rb"(\xef\xbb\xbf)?\s*<[!?a-zA-Z]", block):
            raise ValueError("a page of markup")
        last = block
        while block:
            if b"\0" in block:
                raise ValueError("a binary file")
            last, block = block, file.read(BLOCK)
    if not whole and not last.endswith(b"\n"):
        raise ValueError("an undeclared length, and an end within a line")
