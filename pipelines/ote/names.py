"""Text from elsewhere as a name: of a version, of a file below a folder, in SQL, or on a terminal.

Belongs here: what such a name may be, and how it is quoted. Does not belong here: what a name stands for.
"""

import re

VERSION_LENGTH = 100
PATH_LENGTH = 200
SHOWN_LENGTH = 80

# https://semver.org/#spec-item-2, with numbers that fit anywhere; its characters cannot lead out of a folder.
NUMBER = r"(?:0|[1-9]\d{0,8})"
WORDS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
VERSION = re.compile(rf"{NUMBER}\.{NUMBER}\.{NUMBER}(?:-{WORDS})?(?:\+{WORDS})?", re.ASCII)

# A part of a path that means the same on every system: no drive, stream, device, escape or hidden file.
PART = re.compile(r"(?!(?i:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))\w(?:[\w.+-]*[\w+-])?", re.ASCII)


class BadNameError(ValueError):
    """Text that cannot be such a name; the message shows it and says what was expected."""


def version(text: object) -> str:
    """A version of a release, by SemVer: the name of one folder.

    Raises:
        BadNameError: it is not one.
    """
    if not isinstance(text, str) or len(text) > VERSION_LENGTH or not VERSION.fullmatch(text):
        raise BadNameError(f"{shown(text)} is not a version; expected one such as 1.2.0")
    return text


def is_version(text: object) -> bool:
    """Whether text is a version of a release."""
    return isinstance(text, str) and len(text) <= VERSION_LENGTH and VERSION.fullmatch(text) is not None


def relative_path(text: object) -> str:
    """The name of a file below a folder, its parts separated by slashes.

    Raises:
        BadNameError: it is absolute, leads out of the folder, or means different files on different systems.
    """
    good = isinstance(text, str) and len(text) <= PATH_LENGTH and all(map(PART.fullmatch, text.split("/")))
    if not isinstance(text, str) or not good:
        raise BadNameError(
            f"{shown(text)} is not the name of a file of a release; expected one such as csv/emissions.csv"
        )
    return text


def identifier(name: str) -> str:
    """A name of a table or column as SQL takes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: object) -> str:
    """Text as SQL takes it, whatever is in it."""
    return "'" + str(text).replace("'", "''") + "'"


def shown(text: object) -> str:
    """Text from elsewhere in quotes, in one line, cut where it is long; what is not text by its type."""
    if isinstance(text, str):
        return repr(text[:SHOWN_LENGTH]) + ("..." if len(text) > SHOWN_LENGTH else "")
    if text is None:
        return "null"
    if isinstance(text, int | float):
        return "a huge number" if isinstance(text, int) and abs(text) >= 10**30 else str(text)
    return {"dict": "an object", "list": "a list"}.get(type(text).__name__, type(text).__name__)


def one_line(text: str, length: int = 500) -> str:
    """A message as one line for a terminal: nothing in it moves the cursor, and a long one is cut."""
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:length])
    return plain + ("..." if len(text) > length else "")
