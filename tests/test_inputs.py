"""inputs.zip: what is damaged or no such file is refused by name."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from pipelines.ingestion import snapshots
from tests.conftest import ote


def packed(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_json", ".json"), content)
    return path


def test_the_bytes_come_out_as_they_went_in(tmp_path: Path) -> None:
    sha256 = hashlib.sha256(b"hours").hexdigest()
    path = packed(tmp_path / "inputs.zip", **{f"objects__{sha256}": b"hours", "manifest_json": b"{}"})
    assert snapshots.unpack(path, tmp_path / "store").read_bytes() == b"{}"
    assert (tmp_path / "store" / "objects" / sha256).read_bytes() == b"hours"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"objects__abc": b"other bytes", "manifest_json": b"{}"}, "objects/abc is damaged"),
        ({"readme": b"text"}, "not the inputs.zip of a release"),
    ],
)
def test_what_is_not_as_its_name_says_is_refused(tmp_path: Path, files: dict[str, bytes], words: str) -> None:
    with pytest.raises(snapshots.SnapshotMissingError, match=words):
        snapshots.unpack(packed(tmp_path / "inputs.zip", **files), tmp_path / "store")
    assert not list((tmp_path / "store" / "objects").iterdir())


def test_any_damaged_byte_is_refused_in_words_or_changes_nothing(tmp_path: Path) -> None:
    """Also those that zipfile takes for encryption, another compression, or a place beyond the file."""
    sha256 = hashlib.sha256(b"hours").hexdigest()
    path = packed(tmp_path / "inputs.zip", **{f"objects__{sha256}": b"hours", "manifest_json": b"{}"})
    content = path.read_bytes()
    refused = []
    for place in range(len(content)):
        for bit in (1, 0x20, 0x80):
            path.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
            try:
                assert snapshots.unpack(path, tmp_path / "store").read_bytes() == b"{}"
            except snapshots.SnapshotMissingError as error:
                refused.append(str(error))
    assert all(str(path) in says for says in refused)
    assert len(refused) > len(content)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    done = ote("build", "--warehouse", tmp_path / "warehouse", "--inputs", tmp_path)
    assert done.returncode == 1
    assert f"{tmp_path}: Is a directory. Give the inputs.zip of a release." in done.stderr


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(snapshots.SnapshotMissingError, match="missing"):
        snapshots.unpack(tmp_path / "inputs.zip", tmp_path / "store")
    (tmp_path / "inputs.zip").write_text("no zip")
    with pytest.raises(snapshots.SnapshotMissingError, match=r"not the inputs\.zip"):
        snapshots.unpack(tmp_path / "inputs.zip", tmp_path / "store")
