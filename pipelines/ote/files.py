"""Files as a whole: written in one step or not at all, made durable, and their checksums.

Does not belong here: what is in a file.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A path to write to. What is written takes the place of a file in one step, unless something fails.

    Raises:
        OSError: it cannot be written; the file is as it was.
    """
    partial = file.with_name(f".{file.name}.partial")
    try:
        partial.unlink(missing_ok=True)  # a link there would be followed
        yield partial
        sync(partial)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def write(file: Path, text: str) -> None:
    """Write a text, whole or not at all."""
    with replacing(file) as partial:
        partial.write_text(text, encoding="utf-8")


def sha256_of(path: Path) -> str:
    """The checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Make a file or the entries of a folder durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
