"""`make site-engine`: the engine is put in place whole, as it is pinned, or the reason is said."""

import tarfile
from pathlib import Path

import pytest

from ote import files
from ote.site import engine

NPM = """#!/bin/sh
test "$1 $2" = "pack @duckdb/duckdb-wasm@1.32.0" || exit 9
while [ "$1" != --pack-destination ]; do shift; done
cp {archive} "$2/engine.tgz"
"""


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with small files, which an npm of this test alone hands out."""
    names = ("package/dist/duckdb-browser-eh.worker.js", "package/dist/duckdb-eh.wasm")
    file, content = tmp_path / "package.tgz", tmp_path / "content"
    content.write_bytes(b"content")
    with tarfile.open(file, "w:gz") as packed:
        for name in names:
            packed.add(content, name)
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(NPM.format(archive=file), encoding="utf-8")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:/usr/bin:/bin")
    return file


def test_the_engine_is_put_in_place_whole(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "engine" / engine.VERSION
    monkeypatch.setattr(engine, "FOLDER", folder)
    monkeypatch.setattr(engine, "SHA256", files.sha256_of(archive))
    assert engine.contents() == {}
    engine.put(folder)
    assert {file.name for file in engine.contents().values()} == {"duckdb.js", "duckdb.bin"}
    assert (folder / engine.SCRIPT).read_bytes() == b"content"
    first = (folder / engine.MODULE).read_bytes()
    engine.put(folder)
    assert (folder / engine.MODULE).read_bytes() == first


def test_another_file_than_the_pinned_one_is_not_used(archive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "engine" / engine.VERSION
    with pytest.raises(engine.NoEngineError, match=f"sha256 {files.sha256_of(archive)}, expected 13c29d80"):
        engine.put(folder)
    assert not folder.exists()


def test_without_npm_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(engine.NoEngineError, match="npm is not installed"):
        engine.put(tmp_path / "engine")


@pytest.mark.usefixtures("archive")
def test_what_npm_says_is_passed_on(tmp_path: Path) -> None:
    npm = tmp_path / "bin" / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error network' >&2; exit 1\n", encoding="utf-8")
    with pytest.raises(engine.NoEngineError, match="failed: npm error network"):
        engine.put(tmp_path / "engine")
