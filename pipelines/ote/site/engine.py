"""The query engine of the pages Query and Your run: DuckDB compiled for browsers, which git does not track.

Belongs here: which version it is, how `make site-engine` gets it, and where it is. Does not belong here: the
pages that use it (questions.py).
"""

import gzip
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from ote import files
from ote.places import WAREHOUSE

PACKAGE, VERSION = "@duckdb/duckdb-wasm", "1.32.0"
DUCKDB = "1.4.3"  # the version of DuckDB in it
SHA256 = "13c29d80888b795cb493b281685d3d3e1738db2fad50d419e2884c6585789722"  # of the file of the registry
FOLDER = WAREHOUSE / "engine" / VERSION
SCRIPT = "duckdb.js"
MODULE = "duckdb.bin"  # gzip; a name in .gz would make some web servers unpack it on the way
PATIENCE_S = 600
HOW = "make site-engine"


class NoEngineError(Exception):
    """The engine cannot be put in place; the message says why and what to do."""


def contents() -> dict[str, Path]:
    """The files of the engine by their place in the site; empty where it is not in place."""
    if not FOLDER.is_dir():
        return {}
    return {f"engine/{name}": FOLDER / name for name in (SCRIPT, MODULE)}


def put(folder: Path = FOLDER) -> None:
    """Get the engine from the package registry and put it in place, whole or not at all.

    The module is kept compressed, so that every web server sends 7.6 MB of it and not 34 MB.

    Raises:
        NoEngineError: npm is missing or fails, or what it fetched is not the file that is pinned.
    """
    with TemporaryDirectory() as temporary:
        archive = _packed(Path(temporary))
        found = files.sha256_of(archive)
        if found != SHA256:
            raise NoEngineError(
                f"{archive.name}: sha256 {found}, expected {SHA256}. The registry sent another file than the "
                "one that is pinned in pipelines/ote/site/engine.py; it is not used."
            )
        partial = folder.with_name(f".{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        (partial / SCRIPT).write_bytes(_member(archive, "package/dist/duckdb-browser-eh.worker.js"))
        module = _member(archive, "package/dist/duckdb-eh.wasm")
        (partial / MODULE).write_bytes(gzip.compress(module, mtime=0))
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)


def _packed(folder: Path) -> Path:
    """The file of the package, fetched by npm with the settings of this machine."""
    npm = shutil.which("npm")
    if npm is None:
        raise NoEngineError("npm is not installed; it fetches the engine. Install it: apt-get install npm")
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", str(folder)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, cwd=folder
        )
    except subprocess.TimeoutExpired:
        raise NoEngineError(
            f"npm pack {PACKAGE}@{VERSION}: no answer in {PATIENCE_S} s. Try again."
        ) from None
    found = [*folder.glob("*.tgz")]
    if done.returncode or len(found) != 1:
        says = " ".join((done.stderr or done.stdout).split())[-500:]
        raise NoEngineError(f"npm pack {PACKAGE}@{VERSION} failed: {says or 'it wrote no file'}")
    return found[0]


def _member(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as packed:
        file = packed.extractfile(name)
        if file is None:
            raise NoEngineError(f"{archive.name}: {name} is not a file in it.")
        return file.read()


def main() -> None:
    """What `make site-engine` runs."""
    if contents():
        sys.stdout.write(f"{PACKAGE} {VERSION} is in {FOLDER}\n")
        return
    try:
        put()
    except (NoEngineError, OSError) as error:
        sys.exit(f"make site-engine: {error}")
    sys.stdout.write(f"{PACKAGE} {VERSION} is now in {FOLDER}; make site writes the pages with it\n")


if __name__ == "__main__":
    main()
