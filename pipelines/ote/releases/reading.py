"""The files that describe a release, read as data: SHA256SUMS, manifest.json and the index of releases.

Belongs here: what each must look like, and whether the files of a folder are those of its sums. Does not
belong here: writing any of them (release.py, release_files.py), or whether the tables are right
(verification.py).
"""

import re
from datetime import date
from pathlib import Path
from typing import Any

from ote import documents, names
from ote.releases import folders

SUMS = "SHA256SUMS"
AGAIN = "Move the folder away, and build or get it again."
SUM = re.compile(r"([0-9a-f]{64})  (.+)")  # a line of SHA256SUMS
SUMS_BYTES, MANIFEST_BYTES, INDEX_BYTES = 1 << 20, 1 << 25, 1 << 24  # many times those of today
# What this program reads of index.json and manifest.json.
INDEX = {
    "releases": [{"version": str, "date": str, "sha256": str, "size_bytes?": int, "schema_version?": str}]
}
COMPARED = {
    "version": str,
    "sources": [{"source_id": str, "sha256": (str, type(None))}],
    "source_files?": [{}],
    "lineage?": {"*": {"method_sha256": str, "inputs": [str]}},
    "libraries?": {"*": str},
}
MANIFEST = COMPARED | {
    "schema_version": str,
    "license?": str,
    "commit": (str, type(None)),
    "uncommitted": [str],
    "content?": str,
    "draft?": str,
    "tables": {"*": int},
    "checks?": {"*": int},
}


class BrokenReleaseError(Exception):
    """A release on disk is not what its SHA256SUMS says."""


class MalformedReleaseError(BrokenReleaseError):
    """A file that describes a release, or releases, is not of the form that it is written in."""


def manifest(directory: Path, shape: documents.Shape = MANIFEST) -> dict[str, Any]:
    """What manifest.json says of a release.

    Args:
        directory: the release.
        shape: what of the manifest is wanted: MANIFEST, or COMPARED to find what differs from another.

    Raises:
        MalformedReleaseError: it is not as a release has it.
        OSError: it is missing or cannot be read.
    """
    try:
        content = folders.read(directory.resolve(), "manifest.json", MANIFEST_BYTES)
        found: dict[str, Any] = documents.parse(content, shape, str(directory / "manifest.json"))
        if shape is MANIFEST and not names.is_version(found["version"]):
            version = names.shown(found["version"])
            raise documents.MalformedError(f"{directory / 'manifest.json'}: {version} is not a version")
    except ValueError as error:
        raise MalformedReleaseError(f"{error}. {AGAIN}") from None
    return found


def index_entries(content: bytes, where: str) -> list[dict[str, Any]]:
    """The releases that an index names.

    Raises:
        MalformedError: it is not an index, or a version, day or checksum in it cannot be one.
    """
    entries: list[dict[str, Any]] = documents.parse(content, INDEX, where)["releases"]
    for number, entry in enumerate(entries):
        try:
            names.version(entry["version"])
            date.fromisoformat(entry["date"])
            if not re.fullmatch("[0-9a-f]{64}", entry["sha256"]) or entry.get("size_bytes", 0) < 0:
                raise ValueError("sha256 or size_bytes cannot be")
        except ValueError as error:
            raise documents.MalformedError(f"{where}: releases[{number}]: {error}") from None
    return entries


def verify(directory: Path) -> None:
    """Compare every file of a release with its SHA256SUMS.

    Raises:
        BrokenReleaseError: names the files that are missing, strange or changed, and what is not a file.
    """
    sums, real = checksums(directory), directory.resolve()
    present, wrong = folders.listing(real)
    present.pop(SUMS, None)
    wrong += [f"{name} is missing" for name in sums if name not in present]
    wrong += [
        f"{name} is not part of the release ({SUMS} does not list it)" for name in present if name not in sums
    ]
    wrong += [
        f"{name} changed, or its line in {SUMS}"
        for name in sums
        if name in present and _sha256_below(real, name) != sums[name]
    ]
    if wrong:
        raise BrokenReleaseError(f"{directory}: {names.one_line('; '.join(sorted(wrong)))}. {AGAIN}")


def _sha256_below(folder: Path, name: str) -> str:
    with folders.opened(folder, name) as file:
        return folders.sha256(file)


def checksums(directory: Path) -> dict[str, str]:
    """What SHA256SUMS says of each file of a release.

    Raises:
        BrokenReleaseError: there is no such file, or a line of it is not as it was written; none leads out of
            the folder.
    """
    try:
        content = folders.read(directory.resolve(), SUMS, SUMS_BYTES)
        return parse_sums(content, str(directory / SUMS))
    except FileNotFoundError:
        raise BrokenReleaseError(f"{directory}: {SUMS} is missing. {AGAIN}") from None
    except (documents.MalformedError, folders.NotAFileError) as error:
        raise MalformedReleaseError(f"{error}. {AGAIN}") from None


def parse_sums(content: bytes, where: str) -> dict[str, str]:
    """What the text of a SHA256SUMS says of each file.

    Raises:
        MalformedError: a line is not as it was written, there is none, or two name one file.
    """
    sums: dict[str, str] = {}
    folded: set[str] = {SUMS.lower()}
    *lines, end = content.decode("utf-8", errors="replace").split("\n")
    for number, line in enumerate([*lines, end] if end or not lines else lines, 1):
        found = SUM.fullmatch(line)
        try:
            if not found or (end and number > len(lines)):
                raise ValueError(f"expected a checksum, two spaces and a name, found {names.shown(line)}")
            name = names.relative_path(found[2])
            if name.lower() in folded:
                raise ValueError(f"{name} appears twice, or is this file (capitals do not count)")
        except ValueError as error:
            raise documents.MalformedError(f"{where} is damaged, line {number}: {error}") from None
        folded.add(name.lower())
        sums[name] = found[1]
    return sums
