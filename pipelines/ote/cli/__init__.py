"""The command line: which commands there are, and how it ends.

Belongs here: nothing else. Each command stands in the module of what it is about, which is imported when the
command is run: a question need not wait for what only a build needs.
"""

import errno
import inspect
import io
import os
import signal
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from ote.cli import terminal, version
from ote.cli.options import with_columns

ASK, YOURS = "Ask the dataset", "Your own run"
FACTS, RUN = "Add facts", "Run the pipeline"
# Each command with its panel, its module and its function there, in the order in which they are listed.
COMMANDS = {
    "find": (ASK, "runs", "find"),
    "why": (ASK, "answers", "why"),
    "where": (ASK, "answers", "where"),
    "total": (ASK, "totals", "total"),
    "explain": (ASK, "meaning", "explain"),
    "mcp": (ASK, "mcp", "mcp"),
    "site": (ASK, "site", "site"),
    "estimate": (YOURS, "estimate", "estimate"),
    "import": (YOURS, "importing", "import_"),
    "report": (YOURS, "estimate", "report"),
    "add": (FACTS, "contribute", "add"),
    "build": (RUN, "build", "build"),
    "update": (RUN, "update", "update"),
}
# The commands below `ote release`; all but `make` also have a short name, as in texts and scripts of 0.x.
RELEASES = {"make": "release", "diff": "diff", "verify": "verify", "publish": "publish", "get": "get"}

CUT = 128 + signal.SIGPIPE  # as shells have it of a program whose reader has had enough


class Commands(TyperGroup):
    """The commands; a fault of a file that one of them reads is told without a traceback."""

    def invoke(self, ctx: Any) -> Any:  # noqa: D102
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")  # of pydantic, which typer asks
            raise
        except ValueError as error:
            from ote.catalog import CatalogError
            from ote.sql_files import QueryError

            if not isinstance(error, CatalogError | QueryError):
                raise
            terminal.fail(str(error))


def _help(command: Callable[..., None]) -> str:
    """The text of a command, each paragraph in one line: it wraps where the terminal ends.

    The word {columns} in it becomes the columns that a run may have.
    """
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    text = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    if "{columns}" in text:
        columns = _function("estimate", "columns_of_a_run")()
        text = text.replace("{columns}", ", ".join(name for name, *_ in columns))
    return text


def _function(module: str, name: str) -> Callable[..., Any]:
    command: Callable[..., Any] = getattr(import_module(f"ote.cli.{module}"), name)
    return command


def _settings(name: str) -> dict[str, Any]:
    """How a command differs that has an option for each column of a run."""
    if name == "estimate":
        columns = _function("estimate", "columns_of_a_run")
        return {"cls": with_columns(columns, "What is known of a single run")}
    if name == "add":
        columns = _function("contribute", "columns_of_a_run")
        return {
            "cls": with_columns(columns, "What the source states"),
            "context_settings": {"allow_extra_args": True, "ignore_unknown_options": True},
        }
    return {}


@cache
def program(only: str = "") -> typer.Typer:
    """The program with all its commands.

    Args:
        only: the one command that is asked for; no other is imported then. Any other word means all of them.
    """
    is_release = only == "release" or (only in RELEASES and only != "make")
    made = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False)
    made.callback()(main)
    for name in [only] if only in COMMANDS else [] if is_release else COMMANDS:
        panel, module, function = COMMANDS[name]
        command = _function(module, function)
        made.command(name, help=_help(command), rich_help_panel=panel, **_settings(name))(command)
    if only not in COMMANDS:
        _add_releases(made)
    return made


def _add_releases(made: typer.Typer) -> None:
    release = typer.Typer(no_args_is_help=True, help="Make, compare, check, publish and download releases.")
    made.add_typer(release, name="release", rich_help_panel=RUN)
    for name, function in RELEASES.items():
        command = _function("releases", function)
        release.command(name, help=_help(command))(command)
        if name != "make":
            made.command(name, hidden=True, help=_help(command))(command)


def main(version: version.Version = False) -> None:
    """Open Training Emissions: energy and CO2e of training machine-learning models."""


def __getattr__(name: str) -> Any:
    """`app`, the whole program, for who calls it from Python."""
    if name == "app":
        return program()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def run() -> None:
    """The console script. Leaves at once when done: DuckDB's client reports leaks at interpreter exit."""
    code = 0
    # One that is closed is None.
    sys.stdout, sys.stderr = (stream or io.StringIO() for stream in (sys.stdout, sys.stderr))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a locale may lack letters of a name, or a path hold none
            stream.reconfigure(errors="backslashreplace")
    for step in (program("".join(sys.argv[1:2])), sys.stdout.flush, sys.stderr.flush):
        try:
            step()
        except SystemExit as done:
            # typer ends with 1 where the reader of a pipe, such as head, has had enough
            is_cut = isinstance(done.__context__, BrokenPipeError)
            code = CUT if is_cut else done.code if isinstance(done.code, int) else 1
        except ModuleNotFoundError as error:
            code = _not_installed(error)
        except OSError as error:
            code = code or _not_printed(error)
    os._exit(code)


def _not_installed(error: ModuleNotFoundError) -> int:
    """The exit code where a command needs a library that only an extra of the package installs."""
    library = (error.name or "").partition(".")[0]
    if library in ("", "ote"):
        raise error
    extra = "mcp" if library == "mcp" else "pipeline"
    sys.stderr.write(
        f"ote {' '.join(sys.argv[1:2])} needs {library}, which is not installed. "
        f"Install what it needs: pip install 'open-training-emissions[{extra}]'\n"
    )
    return 2


def _not_printed(error: OSError) -> int:
    """The exit code where what is printed goes to a full disk, or to a program that has had enough."""
    if error.errno == errno.ENOSPC and not error.filename:
        os.write(2, b"Not all of the output was written: the disk is full.\n")
        return 1
    if isinstance(error, BrokenPipeError):
        return CUT
    raise error
