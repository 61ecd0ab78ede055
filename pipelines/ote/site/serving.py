"""Serve a site and its release on this machine alone, next to each other as where they are published.

Belongs here: which folder is served under which address. Does not belong here: writing a site (building.py).
"""

import re
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

LOOPBACK = "127.0.0.1"
FIRST = "/site/index.html"
NOT_FOUND = "404.html"  # of the site
LOCAL = re.compile(r'(href|src)="(?!https?://|#)')  # links from the top folder


class _Handler(SimpleHTTPRequestHandler):
    """Files of the given folders by the first part of an address, and nothing else."""

    def __init__(self, *arguments: Any, folders: Mapping[str, Path], **options: Any) -> None:
        self.folders = folders
        super().__init__(*arguments, **options)

    def do_GET(self) -> None:
        """Send a file, or lead to the first page."""
        if not self._is_led() and self._is_meant():
            super().do_GET()

    def do_HEAD(self) -> None:
        """Send what would be said of a file."""
        if not self._is_led() and self._is_meant():
            super().do_HEAD()

    def _is_led(self) -> bool:
        """Whether the address led to the first page."""
        if urlsplit(self.path).path not in ("/", "/site", "/site/"):
            return False
        self.send_response(HTTPStatus.FOUND)
        self.send_header("Location", FIRST)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return True

    def _is_meant(self) -> bool:
        """Whether the address is one of this server's: another site's name that leads here gets nothing."""
        if self._is_own() and self._folder():
            return True
        self.send_error(HTTPStatus.NOT_FOUND)
        return False

    def _is_own(self) -> bool:
        """Whether the name of the server in the request is that of this machine."""
        return self.headers.get("Host", "").rpartition(":")[0] in (LOOPBACK, "localhost")

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Send the page of an unknown address with the menu; of any other error, what http.server sends."""
        page = self.folders["site"] / NOT_FOUND
        if code != HTTPStatus.NOT_FOUND or not self._is_own() or not page.is_file():
            super().send_error(code, message, explain)
            return
        body = LOCAL.sub(r'\1="/site/', page.read_text(encoding="utf-8")).encode()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _folder(self) -> Path | None:
        first = unquote(urlsplit(self.path).path).removeprefix("/").partition("/")[0]
        return self.folders.get(first)

    def translate_path(self, path: str) -> str:
        """The file of an address; the first part names the folder."""
        self.directory = str(self._folder())
        return super().translate_path("/" + urlsplit(path).path.removeprefix("/").partition("/")[2])

    def list_directory(self, path: Any) -> None:
        """Folders are not listed."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing of each request."""


def server(site: Path, release: Path, port: int) -> ThreadingHTTPServer:
    """A server on the loopback that is not running yet; port 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """
    release = release.resolve()
    folders = {"site": site.resolve(), release.name: release}
    return ThreadingHTTPServer((LOOPBACK, port), partial(_Handler, folders=folders))


def address(of: ThreadingHTTPServer) -> str:
    """The address of the first page."""
    return f"http://{LOOPBACK}:{of.server_port}{FIRST}"
