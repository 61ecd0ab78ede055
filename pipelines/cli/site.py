"""The command `ote site`.

Belongs here: options, what a person sees, exit codes. Does not belong here: any page (site/).
"""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.catalog import ROOT
from pipelines.cli.terminal import fail

PORT = 8420


def site(
    warehouse: Annotated[Path, typer.Option(help="Folder that was built in.", envvar="OTE_WAREHOUSE")] = ROOT
    / "warehouse",
    release: Annotated[
        Path | None, typer.Option(help="Folder of a release to look at, instead of the last build.")
    ] = None,
    port: Annotated[
        int, typer.Option(help="Port on this machine; 0 takes a free one.", min=0, max=65535)
    ] = PORT,
    serve: Annotated[bool, typer.Option(help="Serve the pages until Ctrl-C.")] = True,
) -> None:
    """Show the dataset as pages in a browser, from this machine alone: runs, factors, sources, accuracy.

    The pages are written again if the release, the guides or the code changed.

    Example: ote site
    """
    import duckdb

    from pipelines.releases import reading
    from pipelines.site import building, serving
    from pipelines.site.data import BadIdentifierError

    folder = release or _last(warehouse)
    target = warehouse / building.FOLDER
    try:
        if not building.is_current(folder, target):
            typer.echo(f"Writing the pages of {folder.resolve().name} ...", err=True)
            pages = building.build(folder, target)
            typer.echo(f"{pages:,} pages in {target}")
    except reading.MalformedReleaseError as error:
        fail(str(error))
    except (building.DeadLinkError, building.TwoPagesError, BadIdentifierError) as error:
        fail(str(error), 1)
    except (OSError, duckdb.Error, reading.BrokenReleaseError) as error:
        fail(f"{folder}: the pages were not written: {error}", 1)
    if not serve:
        return
    try:
        running = serving.server(target, folder, port)
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
    from pipelines.site import building

    found = building.last(warehouse)
    if found is None:
        fail(f"{warehouse}: no release was built there. Build one: ote build --warehouse {warehouse}")
    return found
