"""A headless Chromium, driven over its DevTools protocol: pages, keys, pictures, and what a page asked for.

Belongs here: talking to the browser. Does not belong here: what a page must do (test_site_browser.py).
"""

import base64
import itertools
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE_S = 120
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0")


class Page:
    """One tab; `errors` are messages of its console and refused requests, `asked` what it asked for."""

    def __init__(self, socket: ClientConnection) -> None:
        """Begin to listen to a tab."""
        self.socket, self.numbers = socket, itertools.count(1)
        self.errors: list[str] = []
        self.asked: list[str] = []
        self.loaded: set[str] = set()
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)

    def call(self, method: str, **given: Any) -> dict[str, Any]:
        """The result of a command of the protocol; events that come meanwhile are noted."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": given}))
        while True:
            message = json.loads(self.socket.recv(timeout=PATIENCE_S))
            if message.get("id") == number:
                assert "error" not in message, f"{method}: {message['error']}"
                result: dict[str, Any] = message["result"]
                return result
            self._note(message)

    def open(self, address: str, width: int = 1024, height: int = 900, *, scripts: bool = True) -> None:
        """Show a page at a size; it is loaded when this returns."""
        self.errors, self.asked = [], []
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        wanted = self.call("Page.navigate", url=address)["loaderId"]
        while wanted not in self.loaded:
            self._note(json.loads(self.socket.recv(timeout=PATIENCE_S)))

    def value(self, script: str) -> Any:
        """What an expression gives in the page; a promise is awaited."""
        options = {"expression": script, "awaitPromise": True, "returnByValue": True}
        result = self.call("Runtime.evaluate", **options)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true, looking at every frame."""
        self.value(
            "new Promise((done) => { const look = () => ("
            + script
            + ") ? done(true) : requestAnimationFrame(look);"
            " look(); })"
        )

    def press(self, key: str) -> None:
        """Press a key where the focus is."""
        text = {"text": "\r"} if key == "Enter" else {}
        codes = {"Enter": 13, "Tab": 9, "ArrowRight": 39, "ArrowLeft": 37}
        for kind in ("keyDown", "keyUp"):
            code = {"windowsVirtualKeyCode": codes[key]}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, **code, **text)

    def picture(self, path: Path, *, is_whole: bool = False) -> None:
        """Write what is seen as PNG."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=is_whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def _note(self, message: dict[str, Any]) -> None:
        method, given = message.get("method", ""), message.get("params", {})
        if method == "Page.lifecycleEvent" and given["name"] == "load":
            self.loaded.add(given["loaderId"])
        elif method == "Network.requestWillBeSent":
            self.asked.append(given["request"]["url"])
        elif method == "Network.loadingFailed" and not given.get("canceled"):
            self.errors.append(f"loading failed: {given['errorText']} {given.get('blockedReason', '')}")
        elif method == "Runtime.exceptionThrown":
            self.errors.append(str(given["exceptionDetails"]))
        elif method == "Log.entryAdded" and given["entry"]["level"] in ("error", "warning"):
            self.errors.append(given["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and given["type"] in ("error", "warning"):
            self.errors.append(str(given["args"]))


@contextmanager
def browser() -> Iterator[Page]:
    """A tab of a browser that ends with the block.

    Raises:
        RuntimeError: the browser ended before it said where it listens.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={home}", "about:blank"]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                with connect(_tab(process), max_size=None, proxy=None) as socket:
                    yield Page(socket)
            finally:
                process.terminate()


def _tab(process: subprocess.Popen[str]) -> str:
    """The address of the first tab."""
    assert process.stderr is not None
    for line in process.stderr:
        if "DevTools listening on " in line:
            address = line.split("DevTools listening on ")[1].strip()
            with connect(address, max_size=None, proxy=None) as socket:
                socket.send(json.dumps({"id": 1, "method": "Target.getTargets"}))
                targets = json.loads(socket.recv(timeout=PATIENCE_S))["result"]["targetInfos"]
            tab = next(target["targetId"] for target in targets if target["type"] == "page")
            return f"{address.split('/devtools/')[0]}/devtools/page/{tab}"
    raise RuntimeError(
        "Chromium ended before it listened; see what `chromium --headless=new --no-sandbox` says."
    )
