"""Files by address: a path, a folder, a pattern, or an address that fsspec knows, such as s3://bucket/runs.parquet.

Belongs here: which files an address means, and reading and writing them as a whole. Does not belong here:
what is in a file.
"""

import glob
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from ote import files
from ote.answers import texts

PATTERN = "*?["
DATASET = "**/*.parquet"  # the files of a folder


def is_remote(address: str) -> bool:
    """Whether an address is not a path."""
    return "://" in address


def suffix(address: str) -> str:
    """The ending of the name of a file, such as .parquet; empty for a folder."""
    return PurePosixPath(address).suffix.lower() if not address.endswith("/") else ""


def sibling(address: str, ending: str) -> str:
    """A file next to another one or to a folder, of the same name but for its ending."""
    return address.rstrip("/").removesuffix(PurePosixPath(address).suffix) + ending


def store(address: str) -> tuple[Any, str]:
    """The file system of an address that is not a path, and the path in it.

    Raises:
        UnreadableError: fsspec does not know it, or the library for it is not installed.
    """
    import fsspec

    try:
        found: tuple[Any, str] = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise texts.UnreadableError(f"cannot be opened: {error}") from None
    return found


@contextmanager
def asking() -> Iterator[None]:
    """What goes wrong at a store as OSError: libraries such as aiohttp and botocore have errors of their own.

    Raises:
        OSError: the store cannot be reached, or refuses.
    """
    try:
        yield
    except (OSError, NotImplementedError):
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


def expand(address: str) -> list[str]:
    """The files that an address means, in the order of their names: one, or those of a folder or a pattern.

    Raises:
        UnreadableError: there is none, or it cannot be listed.
    """
    if is_remote(address):
        return _expand_remote(address)
    if Path(address).is_dir():
        found = sorted(str(path) for path in Path(address).glob(DATASET))
        if not found:
            raise texts.UnreadableError("is a folder without Parquet files; give a file in it")
    elif set(PATTERN) & set(address) and not Path(address).exists():
        found = sorted(glob.glob(address, recursive=True))  # noqa: PTH207 -- of an absolute pattern, too
    else:
        texts.check(Path(address))
        return [address]
    if not found:
        raise texts.UnreadableError("there is no file in it; expected Parquet files")
    return found


def _expand_remote(address: str) -> list[str]:
    files_of, path = store(address)
    try:
        with asking():
            if set(PATTERN) & set(path):
                found = files_of.glob(path)
            elif files_of.isdir(path):
                found = files_of.glob(f"{path.rstrip('/')}/{DATASET}")
            else:
                found = [path] if files_of.exists(path) else []
    except OSError as error:
        raise texts.UnreadableError(f"cannot be listed: {error}") from None
    if not found:
        raise texts.UnreadableError("there is no such file; check the address")
    return sorted(map(str, map(files_of.unstrip_protocol, found)))


def content(address: str) -> bytes:
    """The bytes of a file.

    Raises:
        UnreadableError: it cannot be read.
    """
    if not is_remote(address):
        return texts.content(Path(address))
    files_of, path = store(address)
    try:
        with asking():
            return bytes(files_of.cat_file(path))
    except OSError as error:
        raise texts.UnreadableError(f"cannot be read: {error}") from None


def is_listed(address: str) -> bool:
    """Whether a folder holds Parquet files already.

    Raises:
        OSError: the store cannot be reached, or refuses.
        UnreadableError: as store.
    """
    if not is_remote(address):
        return next(Path(address).glob(DATASET), None) is not None
    files_of, path = store(address)
    with asking():
        return bool(files_of.glob(f"{path.rstrip('/')}/{DATASET}"))


def remove(address: str) -> None:
    """Take a file away, if there is one."""
    if not address:
        return
    if not is_remote(address):
        Path(address).unlink(missing_ok=True)
        return
    files_of, path = store(address)
    with asking():
        if files_of.exists(path):
            files_of.rm_file(path)


@contextmanager
def replacing(address: str, folder: Path) -> Iterator[Path]:
    """A path to write to; what is written takes the place of a file as a whole, unless something fails.

    Args:
        address: the file.
        folder: a temporary one, for what goes to a store.

    Raises:
        OSError: it cannot be written; the file is as it was.
    """
    if not is_remote(address):
        with files.replacing(Path(address)) as partial:
            yield partial
        return
    partial = folder / "partial"
    try:
        yield partial
        files_of, path = store(address)
        with asking():
            files_of.put_file(str(partial), path)
    finally:
        partial.unlink(missing_ok=True)
