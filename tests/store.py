"""A web server of a folder that is as strict as the stores that people use.

Belongs here: what a store does that a server of files at hand does not: it sends ranges, and takes a bare `+`
in an address for a space, as S3 does.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_plus

import flask
from werkzeug.serving import WSGIRequestHandler, make_server


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Store:
    """A folder that is served: its address, the paths that were asked for, and from which byte on."""

    folder: Path
    address: str
    asked: list[str] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)


@contextmanager
def store(folder: Path) -> Iterator[Store]:
    """Serve a folder until the block ends."""
    app = flask.Flask(__name__)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    served = Store(folder, f"http://127.0.0.1:{server.server_port}")

    @app.get("/<path:_>")
    def file(_: str) -> flask.Response:
        path = unquote_plus(flask.request.environ["RAW_URI"].split("?")[0].removeprefix("/"))
        served.asked.append(path)
        asked = flask.request.range
        served.begun.append(asked.ranges[0][0] or 0 if asked else 0)
        return flask.send_from_directory(folder, path, conditional=True)

    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
