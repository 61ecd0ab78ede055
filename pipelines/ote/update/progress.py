"""What a person sees on a terminal while files are fetched. Nothing is written where there is no terminal."""

import sys
import threading
import time

from ote.answers import quantities
from ote.update.files import Progress

EVERY_S = 0.2


def on_terminal() -> Progress | None:
    """A line that is written over: file, size so far and speed; none if stderr is no terminal."""
    if not sys.stderr.isatty():
        return None
    lock = threading.Lock()
    seen: dict[str, int] = {}
    started = time.monotonic()
    last = [0.0]

    def show(file: str, done: int, total: int | None) -> None:
        with lock:
            seen[file] = done
            now = time.monotonic()
            if now - last[0] < EVERY_S and done != total:
                return
            last[0] = now
            everything = sum(seen.values())
            of = f" of {total / 1e6:.1f}" if total else ""
            speed = everything / 1e6 / max(now - started, 0.001)
            line = f"{file[-50:]}: {done / 1e6:.1f}{of} MB; {quantities.counted(len(seen), 'file')}, "
            line += f"{everything / 1e6:.1f} MB, {speed:.1f} MB/s"
            sys.stderr.write(f"\r\x1b[K{line[:110]}")
            sys.stderr.flush()

    return show


def clear() -> None:
    """Remove the line."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
