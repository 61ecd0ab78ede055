"""The files below a folder that others can write to: no link is followed, on the way or at the end.

Belongs here: listing, opening and replacing files there. Does not belong here: what the files are.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ote.documents import MalformedError
from ote.names import relative_path

# A FIFO that nobody writes to is opened at once, and then refused, where else it would be waited for.
SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
CHUNK_BYTES = 1 << 20
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
    stat.S_IFDIR: "a folder",
}


class NotAFileError(OSError):
    """What is there is a link or a device, where a file or a folder was expected."""


def listing(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """The files below a folder by their relative names, in order; and a sentence on each thing that is none.

    A folder without any file counts as such a thing.
    """
    files: dict[str, Path] = {}
    others: list[str] = []
    folders = [folder]
    while folders:
        within = sorted((inside := folders.pop()).iterdir())
        if not within and inside != folder:
            others.append(f"{inside.relative_to(folder).as_posix()} is an empty folder")
        for path in within:
            name, kind = path.relative_to(folder).as_posix(), stat.S_IFMT(path.lstat().st_mode)
            if kind == stat.S_IFREG:
                files[name] = path
            elif kind == stat.S_IFDIR:
                folders.append(path)
            else:
                others.append(f"{name} is {KINDS.get(kind, 'not a file')}, expected a file")
    return dict(sorted(files.items())), sorted(others)


@contextmanager
def opened(folder: Path, name: str) -> Iterator[IO[bytes]]:
    """A file below a folder, to read.

    Raises:
        NotAFileError: it, or a folder on the way, is a link or another thing than a file.
        BadNameError: the name leads elsewhere.
        OSError: it cannot be opened.
    """
    with _parent(folder, name) as (parent, last), _file(parent, last, os.O_RDONLY, name) as file:
        yield file


@contextmanager
def continued(folder: Path, name: str) -> Iterator[IO[bytes]]:
    """A file below a folder, to read and write; it is made if it is missing, with the folders on the way.

    A file that has a second name elsewhere is not written to, but replaced by an empty one.

    Raises:
        As opened.
    """
    with _parent(folder, name, make=True) as (parent, last):
        with suppress(FileNotFoundError):
            if os.stat(last, dir_fd=parent, follow_symlinks=False).st_nlink > 1:
                os.unlink(last, dir_fd=parent)
        with _file(parent, last, os.O_RDWR | os.O_CREAT, name) as file:
            yield file


@contextmanager
def replacing(folder: Path, name: str) -> Iterator[IO[bytes]]:
    """A file below a folder, to write; it appears there whole, in one rename, or not at all.

    Raises:
        As opened.
    """
    with _parent(folder, name, make=True) as (parent, last):
        partial = f".{last}.partial"
        with suppress(FileNotFoundError):
            os.unlink(partial, dir_fd=parent)
        try:
            with _file(parent, partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, name) as file:
                yield file
            os.replace(partial, last, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            with suppress(OSError):
                os.unlink(partial, dir_fd=parent)
            raise


def read(folder: Path, name: str, limit: int) -> bytes:
    """The bytes of a file below a folder.

    Raises:
        MalformedError: it has more bytes than it may.
        And as opened.
    """
    with opened(folder, name) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise MalformedError(f"{folder / name}: more than {limit:,} bytes")
    return content


def sha256(file: IO[bytes]) -> str:
    """The checksum of an open file from its first byte on; it then stands at its end."""
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _parent(folder: Path, name: str, make: bool = False) -> Iterator[tuple[int, str]]:
    """A handle on the folder that a file is in, and the last part of its name."""
    *parts, last = relative_path(name).split("/")
    handle = _folder(str(folder), None, str(folder))
    try:
        for part in parts:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=handle)
            inner = _folder(part, handle, str(folder / name))
            os.close(handle)
            handle = inner
        yield handle, last
    finally:
        os.close(handle)


def _folder(path: str, within: int | None, named: str) -> int:
    try:
        return os.open(path, FOLDER, dir_fd=within)
    except NotADirectoryError:
        raise NotAFileError(errno.ENOTDIR, "a link or a file, expected a folder", named) from None


def _file(parent: int, last: str, flags: int, named: str) -> IO[bytes]:
    try:
        handle = os.open(last, flags | SAFELY, 0o666, dir_fd=parent)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise NotAFileError(error.errno, "a link or a device, expected a file", named) from None
        error.filename = named
        raise
    if not stat.S_ISREG(kind := os.fstat(handle).st_mode):
        os.close(handle)
        says = f"{KINDS.get(stat.S_IFMT(kind), 'not a file')}, expected a file"
        raise NotAFileError(errno.EINVAL, says, named)
    mode = {os.O_RDONLY: "rb", os.O_WRONLY: "wb", os.O_RDWR: "r+b"}[flags & os.O_ACCMODE]
    return os.fdopen(handle, mode)
