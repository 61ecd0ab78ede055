"""Files that people hand in or ask for, and why one cannot be read or written, in words.

Belongs here: bytes of a file, their encoding and compression, and the causes that a system gives. Does not
belong here: what the text means.
"""

import gzip
import zlib
from pathlib import Path

PIPE = "stdin"  # in messages, the name of a file that was piped
MOST_BYTES = 2_000_000_000  # of a log when unpacked
GZIP, UTF_16 = b"\x1f\x8b", (b"\xff\xfe", b"\xfe\xff")
# How files begin that are no text, and what to do about them.
NO_TEXT = {
    b"PK\x03\x04": "a zip archive or a workbook, not text; unpack it, or save its sheet as CSV (UTF-8)",
    b"BZh": "compressed with bzip2; unpack it",
    b"\xfd7zXZ": "compressed with xz; unpack it",
    b"\x28\xb5\x2f\xfd": "compressed with Zstandard; unpack it",
    b"PAR1": "a Parquet file, not text; save it as CSV",
    b"SQLite format 3": "an SQLite database, not text; save its table as CSV",
    b"%PDF": "a PDF, not text",
}


class UnreadableError(Exception):
    """A file cannot be read, or holds no text; the message says why and what to do, without its name."""


def content(file: Path) -> bytes:
    """The bytes of a file.

    Raises:
        UnreadableError: there is none, or it may not be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise UnreadableError(unread(error)) from None


def check(file: Path) -> None:
    """Refuse a file that cannot be opened.

    Raises:
        UnreadableError: there is none, or it may not be read.
    """
    try:
        file.open("rb").close()
    except OSError as error:
        raise UnreadableError(unread(error)) from None


def decoded(data: bytes) -> str:
    r"""Text with \n at the ends of lines, out of UTF-8 or UTF-16, compressed with gzip or not.

    Raises:
        UnreadableError: it is neither, or larger than MOST_BYTES.
    """
    if data.startswith(GZIP):
        data = _unpacked(data)
    for begin, says in NO_TEXT.items():
        if data.startswith(begin):
            raise UnreadableError(says)
    try:
        if data.startswith(UTF_16):  # as PowerShell writes the output of a command
            text = data.decode("utf-16")
        elif len(data) > 3 and data[0] and not data[1] and data[2] and not data[3]:
            text = data.decode("utf-16-le")
        else:
            text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = f"line {line} holds the byte 0x{data[error.start]:02x}"
        raise UnreadableError(f"{byte}, which is not UTF-8; save the file as UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def unwritten(file: Path, error: OSError) -> str:
    """Why a file that was asked for cannot be written, and what to do."""
    folder = file.parent
    if not folder.is_dir():
        return f"{file}: cannot be written. There is no folder {folder}; make it, or name another file."
    if file.is_dir():
        return f"{file}: cannot be written. It is a folder; name a file in it."
    if isinstance(error, PermissionError):
        return f"{file}: cannot be written. The folder {folder} is not writable; name a file elsewhere."
    return f"{file}: cannot be written: {_said(error)}. Free some space, or name a file elsewhere."


def unread(error: OSError) -> str:
    """Why a file cannot be read, in words."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file; check its name and folder"
    if isinstance(error, IsADirectoryError):
        return "is a folder; give a file in it"
    if isinstance(error, PermissionError):
        return "cannot be read; its permissions do not allow it"
    return f"cannot be read: {_said(error)}; check its name"


def _said(error: OSError) -> str:
    """The cause that the system gives, without its number and without the file."""
    return (error.strerror or "the disk failed").lower()


def _unpacked(data: bytes) -> bytes:
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        whole = stream.decompress(data, MOST_BYTES)
        if stream.unused_data:  # several members, as `cat a.gz b.gz` makes them
            whole = gzip.decompress(data)
    except (zlib.error, OSError, EOFError):
        raise UnreadableError("compressed with gzip, but damaged; unpack it from a whole copy") from None
    if stream.unconsumed_tail:
        raise UnreadableError(f"holds more than {MOST_BYTES:,} bytes when unpacked; split it")
    if not stream.eof:
        raise UnreadableError("compressed with gzip, but cut off; copy it again")
    return whole
