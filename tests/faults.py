"""A server on this machine that misbehaves on request, for every test that needs HTTP.

    with serve({"/a.csv": [Answer(status=500), Answer(b"good", etag='"1"')]}) as server:
        download(..., f"{server.url}/a.csv", ...)
        server.requests["/a.csv"]  # 2

Belongs here: what a server can do wrong. Does not belong here: what a client should make of it.
"""

import os
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import unquote, urlsplit

Fault = Literal[
    "chunked",  # no fault: the whole body, chunked
    "unsized",  # no fault either: the whole body, then the connection is closed
    "cut",  # half of the body, against a Content-Length for all of it
    "cut chunked",  # half of the body and no last chunk
    "cut unsized",  # half of the body, then the connection is closed: not to be reported from a whole one
    "drip",  # the body, a byte every PACE_S
    "drip headers",  # the same from the status line on
    "hang",  # nothing at all until the server ends
    "hang in body",  # half of the body, then nothing
    "reset",  # the connection is reset before an answer
    "reset in body",  # and after half of the body
]
PACE_S = 0.02


@dataclass(frozen=True)
class Answer:
    """What one request gets; with `etag` or `last_modified`, 304 where the request names that version.

    `headers` come after the usual ones and replace those of the same name.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: Fault | None = None
    etag: str | None = None
    last_modified: str | None = None

    def unchanged(self, asked: Mapping[str, str]) -> bool:
        """Whether the request already has this version; an ETag, where there is one, decides alone."""
        if "if-none-match" in asked:
            return self.etag is not None and self.etag in asked["if-none-match"]
        since = asked.get("if-modified-since")
        if since is None or self.last_modified is None:
            return False
        return parsedate_to_datetime(self.last_modified) <= parsedate_to_datetime(since)


def redirect(to: str, status: int = 302) -> Answer:
    """An answer that leads elsewhere."""
    return Answer(b"moved\n", status, {"Location": to})


@dataclass(frozen=True)
class Server:
    """A running server: how often each path was asked, and with which headers (names in lower case).

    `answers` may be changed while it runs; of a list the first is used up by each request, but for the last.
    """

    url: str
    answers: dict[str, list[Answer]]
    requests: Counter[str] = field(default_factory=Counter)
    headers: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, path: str, headers: dict[str, str]) -> Answer:
        """Count a request, and its answer; 404 where the path is not known."""
        with self.lock:
            self.requests[path] += 1
            self.headers.setdefault(path, []).append(headers)
            waiting = self.answers.get(path) or [Answer(b"not found\n", 404)]
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]


def closed_port() -> str:
    """An address of this machine at which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def serve(answers: Mapping[str, Answer | Sequence[Answer]]) -> Iterator[Server]:
    """A server that knows these paths, on a port of its own, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            asked = {name.lower(): text for name, text in self.headers.items()}
            answer = server.take(path, asked)
            _answer(self, server, Answer(status=304, etag=answer.etag) if answer.unchanged(asked) else answer)

        def log_message(self, format: str, *args: object) -> None:
            """Be quiet."""

    class Http(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that goes away is no news here."""

    lists = {path: [given] if isinstance(given, Answer) else list(given) for path, given in answers.items()}
    with Http(("127.0.0.1", 0), Handler) as http:
        server = Server(f"http://127.0.0.1:{http.server_port}", lists)
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.ended.set()
            http.shutdown()
            thread.join()


def _answer(handler: BaseHTTPRequestHandler, server: Server, answer: Answer) -> None:
    fault, body = answer.fault, answer.body
    if fault == "reset":
        return _reset(handler)
    if fault == "hang":
        server.ended.wait()
        handler.close_connection = True
        return None
    chunked, unsized = fault in ("chunked", "cut chunked"), fault in ("unsized", "cut unsized")
    head = _head(handler, answer, chunked=chunked, unsized=unsized)
    if fault == "drip headers":
        return _drip(handler, server, head + body)
    handler.wfile.write(head)
    if fault == "drip":
        return _drip(handler, server, body)
    half = body[: len(body) // 2]
    sent = half if fault in ("cut", "cut chunked", "cut unsized", "hang in body", "reset in body") else body
    if chunked:
        last = b"" if fault == "cut chunked" else b"0\r\n\r\n"
        sent = f"{len(sent):x}\r\n".encode() + sent + b"\r\n" + last
    handler.wfile.write(sent)
    if fault == "reset in body":
        return _reset(handler)
    if fault == "hang in body":
        server.ended.wait()
    handler.close_connection = handler.close_connection or fault not in (None, "chunked")
    return None


def _head(handler: BaseHTTPRequestHandler, answer: Answer, *, chunked: bool, unsized: bool) -> bytes:
    headers = {"Date": handler.date_time_string()}
    if chunked:
        headers["Transfer-Encoding"] = "chunked"
    elif not unsized and answer.status != 304:
        headers["Content-Length"] = str(len(answer.body))
    if answer.etag:
        headers["ETag"] = answer.etag
    if answer.last_modified:
        headers["Last-Modified"] = answer.last_modified
    given = {name.lower() for name in answer.headers}
    headers = {name: text for name, text in headers.items() if name.lower() not in given} | dict(
        answer.headers
    )
    lines = [f"HTTP/1.1 {answer.status} {handler.responses.get(answer.status, ('',))[0]}"]
    lines += [f"{name}: {text}" for name, text in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _drip(handler: BaseHTTPRequestHandler, server: Server, content: bytes) -> None:
    for byte in content:
        handler.wfile.write(bytes([byte]))
        if server.ended.wait(PACE_S):
            break
    handler.close_connection = True


def _reset(handler: BaseHTTPRequestHandler) -> None:
    """Close at once, with what was sent or not: without the lingering, the client would see a plain end."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(handler.connection.detach())
    handler.close_connection = True
