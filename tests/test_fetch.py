"""Files over HTTP: a whole file comes with its checksum, every fault is named, and nothing is left behind."""

import gzip
import hashlib
import io
import json
import time
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from ote.update import fetch
from ote.update.fetch import Download, FetchError
from tests.faults import Answer, Fault, closed_port, redirect, serve

CSV = "".join(f"region-{n},{n}\n" for n in range(5_000)).encode()
HTML = b"\n<!DOCTYPE html><title>Please log in</title>\n"
BEFORE = b"what was there before\n"
CAP = 1_000_000
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "PAUSE_S", 0.01)
    monkeypatch.setattr(fetch, "READ_S", 0.5)


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    """A file of an earlier download, alone in its folder."""
    path = tmp_path / "kept"
    path.write_bytes(BEFORE)
    return path


def get(url: str, destination: Path, **changed: Any) -> Download | None:
    known: dict[str, Any] = {"hosts": frozenset({"127.0.0.1"}), "max_bytes": CAP, "deadline_s": 10}
    with fetch.session("test") as session:
        return fetch.download(session, url, destination, **(known | changed))


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def flipped(content: bytes, at: int) -> bytes:
    """One byte changed, the length kept."""
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


def lying_zip() -> bytes:
    """A member of 400 kB that declares 10 bytes, in its own header and in the directory."""
    honest = zipped({"a.csv": b"0" * 400_000})
    return honest.replace((400_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))


def many_members() -> bytes:
    """Each member is under the cap, all together are not."""
    return zipped({f"{n}.csv": CSV[:2_000] * 450 for n in range(30)})


def soon(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@dataclass(frozen=True)
class Case:
    """What is served at `path`, and which error that must be; `tries` are the requests that it is worth."""

    name: str
    kind: str
    words: str
    answers: Answer | Sequence[Answer] = ()
    path: str = "/a.csv"
    url: str = "{server}{path}"
    tries: int | None = 1
    call: dict[str, Any] = field(default_factory=dict)


def packed(body: bytes, encoding: str = "gzip", fault: Fault | None = None) -> Answer:
    return Answer(body, headers={"Content-Encoding": encoding}, fault=fault)


def busy(wait: str) -> Answer:
    return Answer(HTML, 503, {"Retry-After": wait})


GZIPPED, STORED, DEFLATED = gzip.compress(CSV), zipped({"a": CSV}, zipfile.ZIP_STORED), zipped({"a": CSV})
BOMB = gzip.compress(b"0" * 20 * CAP)
CASES = [
    # no answer
    Case("a name that does not exist", "unreachable", "name.invalid", url="http://name.invalid/a.csv",
         call={"hosts": frozenset({"name.invalid"})}, tries=None),
    Case("a closed port", "unreachable", "refused", url=closed_port() + "/a.csv", tries=None),
    Case("http where https is asked", "unreachable", "SSL", Answer(CSV), url="{https}{path}", tries=None),
    Case("no answer in time", "silent", "timed out", Answer(CSV, fault="hang"), tries=2),
    Case("no answer before the deadline", "silent", "no answer", Answer(CSV, fault="hang"),
         call={"deadline_s": 0.2}),
    Case("headers that drip", "silent", "deadline", Answer(CSV, fault="drip headers"),
         call={"deadline_s": 0.5}),
    Case("a connection that is reset", "silent", "4 times", Answer(CSV, fault="reset"), tries=4),
    # another status
    *(Case(f"status {status}", "gone", f"HTTP {status}", Answer(HTML, status)) for status in (404, 410)),
    *(Case(f"status {status}", "forbidden", f"HTTP {status}", Answer(HTML, status)) for status in (401, 403)),
    *(Case(f"status {status} for ever", "busy", f"HTTP {status}", Answer(HTML, status), tries=4)
      for status in (429, 500, 502, 503, 504)),
    Case("status 501", "busy", "HTTP 501", Answer(HTML, 501)),
    *(Case(f"status {status}", "broken", f"HTTP {status}", Answer(CSV, status))
      for status in (204, 206, 300, 400)),
    Case("304 unasked", "broken", "HTTP 304", Answer(status=304)),
    Case("to come back tomorrow", "busy", "no request before", busy("86400"), call={"deadline_s": 100_000}),
    Case("to come back at a date", "busy", "before 2099-01-01 00:00", busy("Thu, 01 Jan 2099 00:00:00 GMT")),
    Case("to come back after the deadline", "busy", "no request before", busy("30")),
    Case("an illegible Retry-After", "busy", "4 times", busy("later"), tries=4),
    # elsewhere
    Case("redirect to another host", "redirected", "localhost", redirect("http://localhost:1/a.csv?key=secret")),
    Case("redirect to a file", "redirected", "the scheme is file", redirect("file:///etc/hostname")),
    Case("redirect with credentials", "redirected", "credentials", redirect("http://me:secret@127.0.0.1/a.csv")),
    Case("redirect to no address", "redirected", "not an address", redirect("http://[127.0.0.1/a.csv")),
    Case("redirect in a circle", "redirected", "more than 5 times", redirect("/a.csv"), tries=6),
    Case("redirect without an address", "broken", "HTTP 302", Answer(status=302)),
    Case("redirect to a login page", "broken", "markup", redirect("/login")),
    Case("a file of this machine", "forbidden", "the scheme is file", url="file:///etc/hostname", tries=0),
    Case("credentials in the address", "forbidden", "credentials", url="http://me:secret@[::1]/", tries=0),
    Case("a host that was not named", "forbidden", "localhost", url="http://localhost:1/a.csv", tries=0),
    # not all of it
    Case("a body cut short", "broken", f"expected {len(CSV):,} bytes", Answer(CSV, fault="cut"), tries=4),
    Case("a chunked body cut", "broken", "cut after", Answer(CSV, fault="cut chunked"), tries=4),
    Case("a body that is reset", "broken", "cut after", Answer(CSV, fault="reset in body"), tries=4),
    Case("a body that stalls", "broken", "cut after", Answer(CSV, fault="hang in body"), tries=4),
    Case("a body that drips", "broken", "too slow", Answer(CSV, fault="drip"), call={"deadline_s": 0.5}),
    *(Case(f"{path} cut, no length", "broken", words, Answer(body, fault="cut unsized"), path, tries=4)
      for path, words, body in (
          ("/a.csv", "within a line", CSV + b"one long line" * 9_000), ("/a.json", ".json", b'{"a": [1, 2]}'),
          ("/a.zip", "not a zip", zipped({"a": CSV})), ("/a.csv.gz", "end-of-stream", gzip.compress(CSV)))),
    Case("gzip encoding cut, its length right", "broken", "gzip stream", packed(GZIPPED[:-20]), tries=4),
    # too much of it
    Case("too big by its own word", "broken", "1,000,001 declared", Answer(b"0" * (CAP + 1))),
    Case("too big without a word", "broken", "at most 1,000,000", Answer(b"0" * (CAP + 1), fault="chunked")),
    Case("too big once decoded", "broken", "at most 1,000,000", packed(BOMB)),
    Case("gz bomb", "broken", "unpacks to more", Answer(BOMB), "/a.csv.gz"),
    Case("zip bomb", "broken", "unpacks to more", Answer(zipped({"a": b"0" * 21 * CAP})), "/a.zip"),
    Case("zip bomb by its ratio", "broken", "unpacks to more", Answer(zipped({"a": b"0" * CAP})), "/a.zip"),
    Case("zip bomb of many members", "broken", "more than 20,000,000", Answer(many_members()), "/a.zip"),
    Case("zip that lies about a size", "broken", "Bad CRC", Answer(lying_zip()), "/a.zip"),
    # something else
    *(Case(f"nothing as {path}", "broken", "no bytes", Answer(b"", fault=fault), path) for path in
      ("/a.csv", "/a.zip", "/a.json") for fault in (None, "chunked")),
    *(Case(f"a page as {path}", "broken", "expected a whole", Answer(HTML), path) for path in
      ("/a.csv", "/a.txt", "/a.zip", "/a.csv.gz", "/a.json", "/a")),
    Case("a page after a byte order mark", "broken", "markup", Answer(b"\xef\xbb\xbf" + HTML)),
    Case("markup without a doctype", "broken", "markup", Answer(b"<?xml version='1.0'?><Error/>")),
    Case("zeros in text", "broken", "binary", Answer(CSV + b"\0\n")),
    Case("an encoding that nobody asked for", "broken", "Content-Encoding br", packed(CSV, "br")),
    *(Case("gzip encoding that is none", "broken", "not gzip", packed(body)) for body in
      (CSV, zlib.compress(CSV))),
    Case("gz of another sum", "broken", "CRC", Answer(flipped(GZIPPED, -8)), "/a.csv.gz"),
    Case("zip of the right length", "broken", "Bad CRC", Answer(flipped(STORED, 500)), "/a.zip"),
    Case("zip of a damaged stream", "broken", "decompress", Answer(flipped(DEFLATED, 500)), "/a.zip"),
    *(Case(f"zip with {name}", "broken", "outside", Answer(zipped({"a": CSV, name: b"x"})), "/a.zip")
      for name in ("/etc/passwd", "../a", "a/../../b", "..\\a", "C:\\a", "C:a", "\\\\host\\share\\a")),
    Case("zip without a file", "broken", "without a file", Answer(zipped({})), "/a.zip"),
    Case("two JSON values", "broken", "Extra data", Answer(b'{"a": 1}{'), "/a.json"),
    Case("JSON nested too deep", "broken", "recursion", Answer(b"[" * 100_000), "/a.json"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault_is_named_and_leaves_nothing(case: Case, destination: Path) -> None:
    answers = {case.path: case.answers or Answer(CSV), "/login": Answer(HTML)}
    with serve(answers) as server:
        https = server.url.replace("http:", "https:")
        url = case.url.format(server=server.url, https=https, path=case.path)
        with pytest.raises(FetchError) as caught:
            get(url, destination, **case.call)
    said = str(caught.value)
    assert caught.value.kind == case.kind, said
    assert said.startswith(url.replace("me:secret@", ""))
    assert case.words in said
    assert "expected" in said
    assert fetch.ADVICE[caught.value.kind] in said
    assert "secret" not in said
    assert case.tries is None or server.requests[case.path] == case.tries
    assert [path.name for path in destination.parent.iterdir()] == [destination.name]
    assert destination.read_bytes() == BEFORE


GOOD = {
    "text": ("/a.csv", Answer(CSV)),
    "text without a last newline": ("/a.csv", Answer(CSV[:-1])),
    "text, chunked": ("/a.csv", Answer(CSV, fault="chunked")),
    "text, no length": ("/a.csv", Answer(CSV, fault="unsized")),
    "zip": ("/a.zip", Answer(zipped({"a/": b"", "a/b.csv": CSV}))),
    "zip, no length": ("/a.zip", Answer(zipped({"a.csv": CSV}), fault="unsized")),
    "gz of two streams": ("/a.csv.gz", Answer(gzip.compress(CSV) + gzip.compress(CSV))),
    "gz that is labelled so too": ("/a.csv.gz", packed(gzip.compress(CSV))),
    "JSON, no length": ("/a.json", Answer(json.dumps({"a": [1]}).encode(), fault="unsized")),
    "no suffix": ("/download", Answer(CSV)),
    "a query": ("/a.csv", Answer(CSV)),
}


@pytest.mark.parametrize(("path", "answer"), GOOD.values(), ids=GOOD)
def test_a_good_file_comes_whole(path: str, answer: Answer, destination: Path) -> None:
    with serve({path: answer}) as server:
        got = get(f"{server.url}{path}?v=1&kind=.zip", destination)
    assert got
    assert destination.read_bytes() == answer.body
    assert (got.size_bytes, got.sha256) == (len(answer.body), hashlib.sha256(answer.body).hexdigest())
    assert [path.name for path in destination.parent.iterdir()] == [destination.name]


def test_a_good_file_comes_with_what_the_server_says_of_it(destination: Path) -> None:
    headers = {"Content-Type": "text/csv", "X-Other": "x"}
    answer = Answer(CSV, headers=headers, etag='"1"', last_modified="Mon, 01 Jan 2024 00:00:00 GMT")
    with serve({"/a.csv": answer}) as server:
        got = get(f"{server.url}/a.csv", destination)
        asked = server.headers["/a.csv"][0]
    assert got
    assert got.status == 200
    assert got.headers.pop("date")
    assert got.headers == {
        "content-type": "text/csv",
        "etag": '"1"',
        "last-modified": "Mon, 01 Jan 2024 00:00:00 GMT",
    }
    assert asked["user-agent"] == "test"
    assert asked["accept-encoding"] == "identity"
    assert "if-none-match" not in asked


@pytest.mark.parametrize(
    ("validator", "header", "old", "new"),
    [
        ("etag", "if-none-match", '"1"', '"2"'),
        ("last_modified", "if-modified-since", format_datetime(NOON), format_datetime(NOON + timedelta(1))),
    ],
)
def test_a_file_that_did_not_change_is_not_sent_again(
    validator: str, header: str, old: str, new: str, destination: Path
) -> None:
    served: list[dict[str, Any]] = [{validator: old}, {validator: new}]
    with serve({"/a.csv": [Answer(CSV, **version) for version in served]}) as server:
        assert get(f"{server.url}/a.csv", destination, **{validator: old}) is None
        assert destination.read_bytes() == BEFORE
        assert get(f"{server.url}/a.csv", destination, **{validator: old})
        assert destination.read_bytes() == CSV
        assert [asked[header] for asked in server.headers["/a.csv"]] == [old, old]


@pytest.mark.parametrize(
    "first",
    [
        Answer(HTML, 500),
        Answer(HTML, 429, {"Retry-After": "0"}),
        Answer(HTML, 503, {"Retry-After": soon(-60)}),
        Answer(CSV, fault="cut"),
        Answer(CSV, fault="cut chunked"),
        Answer(CSV, fault="reset"),
        Answer(CSV, fault="reset in body"),
        packed(gzip.compress(CSV)[:-20]),
    ],
    ids=lambda answer: f"{answer.status} {answer.fault or ''}",
)
def test_a_fault_that_passes_does_not_matter(first: Answer, destination: Path) -> None:
    with serve({"/a.csv": [first, first, Answer(CSV)]}) as server:
        assert get(f"{server.url}/a.csv", destination)
        assert server.requests["/a.csv"] == 3
    assert destination.read_bytes() == CSV


@pytest.mark.parametrize("wait", ["1", "in 2 s"])
def test_a_server_is_given_the_time_that_it_asks_for(wait: str, destination: Path) -> None:
    first = Answer(HTML, 429, {"Retry-After": wait if wait == "1" else soon(2)})
    with serve({"/a.csv": [first, Answer(CSV)]}) as server:
        begun = time.monotonic()
        assert get(f"{server.url}/a.csv", destination)
        assert 0.9 < time.monotonic() - begun < 10


def test_progress_grows_to_the_size(destination: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    with serve({"/a.csv": Answer(CSV * 10)}) as server:
        get(f"{server.url}/a.csv", destination, progress=lambda size, total: seen.append((size, total)))
    sizes = [size for size, _ in seen]
    assert sizes == sorted(set(sizes))
    assert len(sizes) > 1
    assert sizes[-1] == len(CSV) * 10
    assert {total for _, total in seen} == {len(CSV) * 10}


def test_a_caller_that_stops_the_download_leaves_nothing(destination: Path) -> None:
    def stop(size: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with serve({"/a.csv": Answer(CSV)}) as server, pytest.raises(KeyboardInterrupt):
        get(f"{server.url}/a.csv", destination, progress=stop)
    assert [path.name for path in destination.parent.iterdir()] == [destination.name]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_a_named_host_is_followed(status: int, destination: Path) -> None:
    with serve({"/new name.csv": Answer(CSV, etag='"1"')}) as new:
        to = new.url.replace("127.0.0.1", "localhost") + "/new name.csv"
        with serve({"/a.csv": redirect(to, status)}) as old:
            assert get(f"{old.url}/a.csv", destination, hosts=frozenset({"127.0.0.1", "localhost"}))
            assert get(f"{old.url}/a.csv", destination, hosts=frozenset({"127.0.0.1", "localhost"}),
                       etag='"1"') is None  # fmt: skip
    assert destination.read_bytes() == CSV


def test_no_host_is_asked_that_was_not_named(destination: Path) -> None:
    with serve({"/a.csv": Answer(CSV)}) as other:
        to = other.url.replace("127.0.0.1", "localhost") + "/a.csv"
        with serve({"/a.csv": redirect(to)}) as server, pytest.raises(FetchError, match="localhost"):
            get(f"{server.url}/a.csv", destination)
    assert not other.requests


@pytest.mark.parametrize(
    "to", ["http://localhost\\@127.0.0.1/", "http://127.0.0.1\\.localhost/", "//localhost/", "http://127.0.0.1.localhost/",
           "\thttp://localhost/", "http:\\\\localhost/", "http://127.0.0.1%40localhost/"]
)  # fmt: skip
def test_no_spelling_of_an_address_gets_past_the_named_hosts(to: str, destination: Path) -> None:
    with serve({"/a.csv": redirect(to)}) as server, pytest.raises(FetchError) as caught:
        get(f"{server.url}/a.csv", destination)
    assert caught.value.kind in ("redirected", "gone"), caught.value
    assert caught.value.kind == "redirected" or server.requests.total() == 2


def test_a_gzip_encoding_is_decoded(destination: Path) -> None:
    twice = gzip.compress(CSV) + gzip.compress(CSV)
    with serve({"/a.csv": packed(twice)}) as server:
        got = get(f"{server.url}/a.csv", destination)
    assert got
    assert destination.read_bytes() == CSV * 2
    assert (got.size_bytes, got.sha256) == (len(CSV) * 2, hashlib.sha256(CSV * 2).hexdigest())


@pytest.mark.parametrize("fault", ["hang", "hang in body", "drip", "drip headers"])
def test_the_deadline_is_for_everything_together(fault: Fault, destination: Path) -> None:
    begun = time.monotonic()
    with serve({"/a.csv": Answer(CSV, fault=fault)}) as server, pytest.raises(FetchError):
        get(f"{server.url}/a.csv", destination, deadline_s=0.4)
    assert time.monotonic() - begun < 10  # a single read may take READ_S, 30 s


def test_neither_a_proxy_nor_a_login_of_the_environment_is_used(
    destination: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = destination.with_name("netrc")
    netrc.write_text("machine 127.0.0.1 login me password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", closed_port())
    monkeypatch.delenv("no_proxy", raising=False)
    with serve({"/a.csv": Answer(CSV)}) as server:
        assert get(f"{server.url}/a.csv", destination)
        assert "authorization" not in server.headers["/a.csv"][0]


def test_a_file_that_declares_too_much_is_not_read(destination: Path) -> None:
    seen: list[int] = []
    with serve({"/a.csv": Answer(b"0" * (CAP + 1))}) as server, pytest.raises(FetchError):
        get(f"{server.url}/a.csv", destination, progress=lambda size, total: seen.append(size))
    assert not seen


def test_a_redirect_never_gives_up_encryption() -> None:
    hosts = frozenset({"example.org"})
    assert fetch._allowed("/b", "https://example.org/a", hosts) == "https://example.org/b"
    assert fetch._allowed("https://example.org/b", "http://example.org/a", hosts) == "https://example.org/b"
    with pytest.raises(FetchError, match="expected https"):
        fetch._allowed("http://example.org/b", "https://example.org/a", hosts)


def test_a_broken_connection_does_not_spoil_the_next_file(tmp_path: Path) -> None:
    allowed: dict[str, Any] = {"hosts": frozenset({"127.0.0.1"}), "max_bytes": CAP}
    answers = {"/a.csv": [Answer(CSV, fault="cut"), Answer(CSV)], "/b.csv": [Answer(CSV)]}
    with serve(answers) as server, fetch.session("test") as session:
        for name in ("b", "a", "b"):
            assert fetch.download(session, f"{server.url}/{name}.csv", tmp_path / name, **allowed)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == CSV
