"""`ote --version`: the version of the code and that of the dataset.

Belongs here: the option and what it prints. Does not belong here: how versions come about
(releases/release.py).
"""

import os
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from ote.places import DATABASE, IS_INSTALLED, ROOT


def _code() -> str:
    """The version of the installed package, or of pyproject.toml with the commit of the checkout."""
    from ote import checkout

    if IS_INSTALLED:
        from importlib.metadata import version

        return f"{version('open-training-emissions')}, installed package"

    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    try:
        state = checkout.state()
    except subprocess.CalledProcessError:
        return f"{project['version']}, commit unknown: git cannot read this checkout"
    if state.commit is None:
        return f"{project['version']}, not a git checkout"
    changed = ", with uncommitted changes" if state.uncommitted else ""
    return f"{project['version']}, commit {state.commit[:12]}{changed}"


def _dataset(database: Path) -> str:
    from ote.answers import published

    try:
        with published.open_database(database, "select version from release limit 0") as connection:
            ((version,),) = connection.execute("select version from release").fetchall()
    except published.NoDatabaseError as error:
        return f"none: {error}"
    return f"{version}, {database}"


def _print(is_asked: bool) -> None:
    if not is_asked:
        return
    database = Path(os.environ.get("OTE_DATABASE") or DATABASE)
    typer.echo("Open Training Emissions")
    typer.echo(f"code     {_code()}")
    typer.echo(f"dataset  {_dataset(database)}")
    raise typer.Exit


Version = Annotated[
    bool,
    typer.Option(
        "--version", callback=_print, is_eager=True, help="Print the versions of code and dataset, and exit."
    ),
]
