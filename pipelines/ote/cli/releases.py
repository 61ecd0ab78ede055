"""The commands on releases: `ote release make`, `diff`, `verify`, `publish` and `get`.

Belongs here: options, what a person sees, exit codes. Does not belong here: what a release is
(release.py), or how two differ (changes.py).
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from ote import checkout
from ote.answers import quantities
from ote.checkout import Checkout
from ote.cli import site
from ote.cli.options import Built, a_folder, refuse_own
from ote.cli.terminal import fail
from ote.places import ROOT, WAREHOUSE

Releases = Annotated[
    Path,
    typer.Option(
        help="Folder in which versions of the release are looked up.",
        envvar="OTE_RELEASES",
        callback=a_folder,
        show_default="warehouse/releases",
    ),
]


def release(
    warehouse: Built = WAREHOUSE,
    released: Annotated[
        Path,
        typer.Option(
            help="Folder with the record of the last release, which is tracked in git.",
            envvar="OTE_RELEASED",
            callback=a_folder,
        ),
    ] = ROOT / checkout.RELEASED,
) -> None:
    """Write the last build as a release, and a record that the next release is compared with.

    All changes must be committed, and every table must have passed its checks. Commit the record
    (warehouse/released/) afterwards. `ote build` also writes a release, but no record.

    Example: ote release make && git add warehouse/released
    """
    refuse_own("--released", released, "ote release make")
    import duckdb

    from ote.ingestion.facts import BadReferenceError
    from ote.releases import record
    from ote.releases import release as releasing
    from ote.warehouse import LockedError, NotValidatedError

    database = warehouse / "build.duckdb"
    if not database.exists():
        fail(f"{database}: missing. Build first: ote build --warehouse {warehouse}", 2)
    _require_committed(checkout.state(), "are")
    try:
        folder = _released(database, released)
    except (
        LockedError,
        NotValidatedError,
        releasing.BrokenReleaseError,
        releasing.BrokenPromiseError,
        record.BadRecordError,
        BadReferenceError,
    ) as error:
        fail(str(error), 1)
    except (
        OSError,
        duckdb.IOException,
    ) as error:  # a full disk, a folder that is read-only, an open database
        fail(f"No release was written: {error}. Earlier ones are as they were.", 1)
    typer.echo(str(folder))
    typer.echo(
        f"Record: {released}; commit it, so that the next release is compared with this one.", err=True
    )


def _released(database: Path, released: Path) -> Path:
    """Write the last build as a release with its record; the folder of the release."""
    from ote.quality import checks
    from ote.releases import forecasts, record
    from ote.releases import release as releasing
    from ote.warehouse import connect, lock, made_from, require_unchanged, require_validated

    warehouse = database.parent
    with lock(warehouse), connect(database) as connection:
        require_validated(connection, checks.fingerprints(connection))
        made = made_from(connection)
        _require_committed(made, "when it was built were")
        require_unchanged(made)
        folder = releasing.write(connection, warehouse, made, released)
        if why := releasing.manifest(folder).get("draft"):
            raise releasing.BrokenPromiseError(f"No release, but a draft: {why}. Nothing was recorded.")
        forecasts.keep(folder, released)
        record.keep(folder, released)
    return folder


def diff(
    old: Annotated[str, typer.Argument(help="Version, or folder, of the earlier release.")],
    new: Annotated[str, typer.Argument(help="Version, or folder, of the later release.")] = "latest",
    releases: Releases = WAREHOUSE / "releases",
    cells: Annotated[
        Path | None, typer.Option(help="File (.csv or .parquet) to write every changed cell to.")
    ] = None,
) -> None:
    """Show what differs between two releases, and why.

    Example: ote release diff 1.0.0 latest --cells changes.csv
    """
    import duckdb
    import pyarrow as pa

    from ote.releases import changes, reading

    if cells is not None and cells.suffix not in (".csv", ".parquet"):
        fail(f"--cells {cells}: expected a name that ends in .csv or .parquet.", 2)
    folders = [_release(releases, name) for name in (old, new)]
    try:
        for folder in folders:
            if (folder / "SHA256SUMS").exists():
                reading.verify(folder)
        difference = changes.compare(*folders, every_cell=cells is not None)
    except (changes.NoReleaseError, reading.MalformedReleaseError) as error:
        fail(str(error), 2)
    except reading.BrokenReleaseError as error:
        fail(str(error), 1)
    except (duckdb.Error, pa.ArrowException) as error:
        fail(f"The tables of {old} and {new} cannot be compared: {error}", 2)
    if cells is not None:
        try:
            changes.write_cells(difference, cells)
        except OSError as error:
            fail(f"--cells {cells}: {error}. Name a file in a folder that can be written.", 1)
    where = f"Every cell is in {cells}." if cells else "For every cell give --cells FILE, .csv or .parquet."
    typer.echo(changes.page(difference, cells_are=where))


def verify(
    release: Annotated[str, typer.Argument(help="Folder or version of the release, or latest.")],
    releases: Releases = WAREHOUSE / "releases",
) -> None:
    """Check a release: checksums, types and ranges of its tables, and results against their factors.

    Example: ote release verify warehouse/releases/latest
    """
    from ote.releases import reading, verification

    directory = _release(releases, release)
    try:
        wrong = verification.problems(directory)
    except reading.MalformedReleaseError as error:
        fail(str(error), 2)
    for finding in wrong:
        typer.echo(finding, err=True)
    if wrong:
        counted = quantities.counted(len(wrong), "problem")
        fail(f"{directory}: {counted}: the release is incomplete or was altered.", 1)
    typer.echo(f"{directory}: whole.")


def publish(
    target: Annotated[str, typer.Argument(help="Where to upload: a folder, or s3://bucket/prefix.")],
    version: Annotated[str, typer.Option(help="Version, or folder, of the release.")] = "latest",
    releases: Releases = WAREHOUSE / "releases",
    pages: Annotated[
        bool, typer.Option(help="Also upload the web pages of the latest release, which `ote site` shows.")
    ] = True,
) -> None:
    """Upload a release to an S3 store or a folder, and then add it to index.json.

    Credentials of an S3 store come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, and
    AWS_ENDPOINT_URL for a store that is not Amazon's). The release is added to index.json only when all its
    files are there. If an upload was interrupted, run the command again.

    Example: ote release publish s3://bucket/open-training-emissions
    """
    from ote.releases import publishing

    folder = _release(releases, version).resolve()
    try:
        publishing.publish(folder, target, _progress)
    except publishing.NotPublishedError as error:
        fail(str(error), 2 if isinstance(error, publishing.MalformedSourceError) else 1)
    typer.echo(f"{folder.name} is published at {target}.")
    if pages and publishing.is_latest(folder.name, target):
        with TemporaryDirectory() as place:
            site.upload(site.write(folder, Path(place)), target)


def get(
    version: Annotated[str, typer.Argument(help="Version to download, as listed in index.json.")] = "latest",
    source: Annotated[
        str, typer.Option("--from", help="URL or folder that holds the published releases.")
    ] = "",
    into: Annotated[
        Path,
        typer.Option(
            help="Folder to download to. The release gets its own folder in it, named by version.",
            callback=a_folder,
        ),
    ] = Path("releases"),
) -> None:
    """Download a release and check every byte. An interrupted download continues where it stopped.

    Example: ote release get --from https://example.org/open-training-emissions
    """
    from ote.releases import publishing

    try:
        folder = publishing.get(version, publishing.address(source), into, _progress)
    except publishing.NotPublishedError as error:
        fail(str(error), 2 if isinstance(error, publishing.MalformedSourceError) else 1)
    typer.echo(str(folder))


def _require_committed(state: Checkout, when: str) -> None:
    if state.uncommitted:
        fail(
            f"No release: not committed {when} {', '.join(state.uncommitted)}. Nobody else could build it "
            "again: commit or undo these changes, then build: ote build",
            1,
        )


def _progress(name: str, number: int, total: int) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r\x1b[K{number}/{total} {name}", err=True, nl=number == total)


def _release(releases: Path, name: str) -> Path:
    """A release by its folder or its version; ends with those that there are where it is neither."""
    given, version = Path(name), releases / name
    if given.is_dir() and ((given / "manifest.json").exists() or not version.is_dir()):
        return given
    if version.is_dir() and version.parent.resolve() == releases.resolve() and name not in ("", ".", ".."):
        return version
    if given.is_dir():
        kind = "no manifest.json in this folder"
    else:
        kind = "a file" if given.exists() else f"no such folder, and no version in {releases}"
    fail(
        f"{name}: {kind}. Expected the folder or the version of a release. {_versions(releases)}",
        2,
    )


def _versions(releases: Path) -> str:
    """Which versions there are."""
    names = sorted(file.parent.name for file in releases.glob("[!.]*/manifest.json"))
    return f"There are: {', '.join(names)}." if names else "There is none; build one: ote build"
