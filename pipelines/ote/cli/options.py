"""Options that several commands have, and where things lie unless one says otherwise.

Belongs here: an option of more than one module. Does not belong here: an option of one command.
"""

import inspect
import math
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from ote.cli.terminal import fail
from ote.names import shown
from ote.places import BASELINE, DATABASE, IS_INSTALLED, REFERENCE, ROOT, WAREHOUSE, is_own


def a_folder(option: typer.CallbackParam, given: Path | None) -> Path | None:
    """Refuse what is not a folder, or leads through a file, before anything is begun."""
    for place in (given, *given.parents) if given else ():
        if (place.exists() or place.is_symlink()) and not place.is_dir():
            kind = "a file" if place.is_file() else "a link to nothing" if place.is_symlink() else "no folder"
            where = "" if place == given else f" {place} is"
            fail(f"{option.opts[0]} {given}:{where} {kind}, expected a folder. Name another one.")
    return given


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """A parser of whole numbers within bounds, for an option; its messages say what was expected."""
    expected = f"from {least} to {most}" if most else f"of {least} or more"

    def parse(given: str) -> int:
        cell = str(given).strip()
        if not re.fullmatch(r"[+-]?\d{1,18}", cell) or not least <= int(cell) <= (most or int(cell)):
            raise typer.BadParameter(f"{shown(given)}: expected a whole number {expected}.")
        return int(cell)

    return parse


def number(such_as: str, least: float | None = None) -> Callable[[str], float]:
    """A parser of numbers, for an option; its messages say what was expected."""
    at_least = "" if least is None else f" of {least:g} or more"

    def parse(given: str) -> float:
        value: float | None = None
        with suppress(ValueError):
            value = float(given)
        if value is None or (least is not None and not least <= value < math.inf):
            raise typer.BadParameter(f"{shown(given)}: expected a number{at_least}, such as {such_as}.")
        return value

    return parse


def with_columns(columns: Callable[[], Iterable[tuple[str, str, str]]], panel: str) -> type[TyperCommand]:
    """A kind of command with an option for each column that a row may have.

    Args:
        columns: name, option and help of each; asked when the command is used.
        panel: the heading of these options in its help.

    Returns:
        Its context has the cells that are given as `obj`. One that is given twice ends the command.
    """

    @cache
    def options() -> list[Any]:
        """As typer makes them of the parameters of a function."""

        def command() -> None: ...

        parameters = []
        for name, option, says in columns():
            about = typer.Option(
                option, help=says, metavar="<str>", rich_help_panel=panel, show_default=False
            )
            kind, annotation = inspect.Parameter.KEYWORD_ONLY, Annotated[list[str] | None, about]
            parameters.append(inspect.Parameter(name, kind, default=None, annotation=annotation))
        vars(command)["__signature__"] = inspect.Signature(parameters)
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        made = typer.Typer(add_completion=False)
        made.command()(command)
        return [*typer.main.get_command(made).params]

    class Command(TyperCommand):
        def get_params(self, ctx: Any) -> list[Any]:
            *own, helps = super().get_params(ctx)
            return [*own, *options(), helps]

        def invoke(self, ctx: Any) -> Any:
            ctx.obj = {}
            for name, option, _ in columns():
                cells = ctx.params.pop(name) or []
                if len(cells) > 1:
                    fail(f"{option}: given twice.")
                ctx.obj |= dict.fromkeys([name] if cells else [], *cells)
            return super().invoke(ctx)

    return Command


def refuse_own(option: str, folder: Path, command: str) -> None:
    """End where a command would change the facts of an installed package."""
    if is_own(folder):
        fail(
            f"{option} {folder}: these files belong to the installed package, and {command} would change "
            f"them. Run it in a clone of the repository, or name a folder of facts with {option}."
        )


def _usable(option: typer.CallbackParam, given: Path) -> Path:
    """Refuse a folder that nothing can be built in, before anything is begun."""
    from ote import checkout  # it needs DuckDB, which takes a tenth of a second

    a_folder(option, given)
    if problem := checkout.unusable(given):
        fail(f"{problem} with --warehouse.")
    return given


def _shown(default: Path) -> str:
    """A default without the folder of this checkout or package, which would be too long for a terminal."""
    if default.is_relative_to(ROOT):
        near = default.relative_to(ROOT).as_posix()
        return f"{near} of the package" if IS_INSTALLED else near
    return default.as_posix()


Warehouse = Annotated[
    Path,
    typer.Option(
        help="Folder that the build writes to.",
        envvar="OTE_WAREHOUSE",
        callback=_usable,
        show_default=_shown(WAREHOUSE),
    ),
]
Built = Annotated[
    Path,
    typer.Option(
        help="Folder that the last build wrote to.",
        envvar="OTE_WAREHOUSE",
        callback=a_folder,
        show_default=_shown(WAREHOUSE),
    ),
]
Reference = Annotated[
    Path,
    typer.Option(
        help="Folder with the curated facts (CSV files).",
        envvar="OTE_REFERENCE",
        callback=a_folder,
        show_default=_shown(REFERENCE),
    ),
]
Baseline = Annotated[
    Path,
    typer.Option(
        help="Folder with the accepted rows of the upstream sources.",
        envvar="OTE_BASELINE",
        callback=a_folder,
        show_default=_shown(BASELINE),
    ),
]
Database = Annotated[
    Path,
    typer.Option(
        help="Published database of the dataset (a DuckDB file).",
        envvar="OTE_DATABASE",
        show_default=_shown(DATABASE),
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

# What a run may state; the commands that take it from a log, from options or from a file name it alike.
Hardware = Annotated[str | None, typer.Option(help="Accelerator, in any known spelling, such as H100.")]
Region = Annotated[str | None, typer.Option(help="Cloud region of the run, such as us-central1.")]
Country = Annotated[str | None, typer.Option(help="Country of the run, as code (FR) or name (France).")]
State = Annotated[str | None, typer.Option(help="US state or a province, such as Texas or CA-QC.")]
Pue = Annotated[
    str | None, typer.Option(help="Energy of the data center divided by energy of its computers.")
]
Start = Annotated[str | None, typer.Option(help="When the run started: YYYY-MM-DD, YYYY-MM or YYYY.")]
