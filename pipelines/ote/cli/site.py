"""The command `ote site`.

Belongs here: options, what a person sees, exit codes. Does not belong here: any page (site/).
"""

from pathlib import Path
from typing import Annotated

import typer

from ote.cli.options import Built, a_folder, whole
from ote.cli.terminal import fail
from ote.places import WAREHOUSE

PORT = 8420


def site(
    warehouse: Built = WAREHOUSE,
    release: Annotated[
        Path | None,
        typer.Option(help="Folder of a release to show instead of the last build.", callback=a_folder),
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            help="Port on this machine; 0 chooses a free port.", parser=whole(0, 65535), metavar="<int>"
        ),
    ] = PORT,
    serve: Annotated[
        bool, typer.Option(help="Serve the pages until you press Ctrl-C, or only write them.")
    ] = True,
    put: Annotated[
        str,
        typer.Option(
            help="Upload the pages to this folder or s3:// address of published releases; do not serve them."
        ),
    ] = "",
) -> None:
    """Show the dataset as web pages, served from this machine: runs, factors, sources, accuracy.

    If the release, the guides or the code changed, the pages are written again before they are served.

    Example: ote site
    """
    folder = release or _last(warehouse)
    if not (folder / "manifest.json").exists():
        fail(f"--release {folder}: no manifest.json there. Expected the folder of a release.")
    target = write(folder, warehouse)
    if put:
        upload(target, put)
    elif serve:
        _serve(target, folder, port)
    else:
        typer.echo(f"Pages: {target}")


def write(release: Path, warehouse: Path) -> Path:
    """The pages of a release, in their folder; written where they are not there already."""
    import duckdb

    from ote.releases import reading
    from ote.site import building
    from ote.site.data import BadIdentifierError

    target = warehouse / building.FOLDER
    try:
        if not building.is_current(release, target):
            typer.echo(f"Writing the pages of {release.resolve().name} ...", err=True)
            building.build(release, target)
    except reading.MalformedReleaseError as error:
        fail(str(error))
    except (building.DeadLinkError, building.TwoPagesError, BadIdentifierError) as error:
        fail(str(error), 1)
    except OSError as error:
        where = f"{error.filename or target}: {error.strerror or error}"
        fail(f"{release}: its pages were not written: {where}.", 1)
    except (duckdb.Error, reading.BrokenReleaseError) as error:
        fail(f"{release}: its pages were not written: {error}", 1)
    return target


def opens(warehouse: Path) -> str:
    """The command that shows the pages."""
    return "ote site" if warehouse.resolve() == WAREHOUSE.resolve() else f"ote site --warehouse {warehouse}"


def upload(site: Path, target: str) -> None:
    """Put pages next to published releases."""
    from ote.releases import publishing

    try:
        publishing.put_site(site, target)
    except publishing.NotPublishedError as error:
        fail(f"{error} The release is not affected. To try again: ote site --put {target}", 1)
    typer.echo(f"The pages are at {target.rstrip('/')}/{site.name}/index.html")


def _serve(site: Path, release: Path, port: int) -> None:
    from ote.site import serving

    try:
        running = serving.server(site, release, port)
    except OSError as error:
        fail(f"--port {port}: {error.strerror or error}. Choose another, or 0 for a free one.")
    typer.echo(f"Open {serving.address(running)} (Ctrl-C ends)")
    with running:
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            typer.echo("")


def _last(warehouse: Path) -> Path:
    """The release or draft that was built last."""
    from ote.site import building

    found = building.last(warehouse)
    if found is None:
        fail(f"{warehouse}: no release was built there. Build one: ote build --warehouse {warehouse}")
    return found
