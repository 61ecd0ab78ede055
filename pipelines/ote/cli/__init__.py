"""The command line: which commands there are, and how it ends.

Belongs here: nothing else. Each command stands in the module of what it is about.
"""

import errno
import inspect
import io
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperGroup

from ote.catalog import CatalogError
from ote.cli import (
    answers,
    build,
    contribute,
    estimate,
    releases,
    runs,
    site,
    terminal,
    totals,
    update,
    version,
)
from ote.cli.options import with_columns
from ote.sql_files import QueryError

ASK, YOURS = "Ask the dataset", "Your own run"
FACTS, RUN = "Add facts", "Run the pipeline"

CUT = 128 + signal.SIGPIPE  # as shells have it of a program whose reader has had enough


class Commands(TyperGroup):
    """The commands; a fault of a file that one of them reads is told without a traceback."""

    def invoke(self, ctx: Any) -> Any:  # noqa: D102
        try:
            return super().invoke(ctx)
        except (CatalogError, QueryError) as error:
            terminal.fail(str(error))


app = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False)


def _help(command: Callable[..., None]) -> str:
    """The text of a command, each paragraph in one line: it wraps where the terminal ends."""
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


KINDS = {  # commands with an option for each column of a run
    "estimate": with_columns(estimate.columns_of_a_run, "What is known of a single run"),
    "add": with_columns(contribute.columns_of_a_run, "What the source states"),
}
for panel, name, asked in (
    (ASK, "find", runs.find),
    (ASK, "why", answers.why),
    (ASK, "where", answers.where),
    (ASK, "total", totals.total),
    (ASK, "explain", contribute.explain),
    (ASK, "site", site.site),
    (YOURS, "estimate", estimate.estimate),
    (YOURS, "import", estimate.import_),
    (YOURS, "report", estimate.report),
):
    app.command(name, cls=KINDS.get(name), help=_help(asked), rich_help_panel=panel)(asked)
app.command(
    cls=KINDS["add"],
    help=_help(contribute.add),
    rich_help_panel=FACTS,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(contribute.add)
app.command(help=_help(build.build), rich_help_panel=RUN)(build.build)
app.command(help=_help(update.update), rich_help_panel=RUN)(update.update)

release = typer.Typer(no_args_is_help=True, help="Make, compare, check, publish and download releases.")
app.add_typer(release, name="release", rich_help_panel=RUN)
release.command("make", help=_help(releases.release))(releases.release)
for command in (releases.diff, releases.verify, releases.publish, releases.get):
    release.command(help=_help(command))(command)
    # the short name, as texts and scripts of 0.x have it
    app.command(hidden=True, help=_help(command))(command)


@app.callback()
def main(version: version.Version = False) -> None:
    """Open Training Emissions: energy and CO2e of training machine-learning models."""


def run() -> None:
    """The console script. Leaves at once when done: DuckDB's client reports leaks at interpreter exit."""
    code = 0
    # One that is closed is None.
    sys.stdout, sys.stderr = (stream or io.StringIO() for stream in (sys.stdout, sys.stderr))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a locale may lack letters of a name, or a path hold none
            stream.reconfigure(errors="backslashreplace")
    for step in (app, sys.stdout.flush, sys.stderr.flush):
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
    sys.stderr.write(
        f"ote {' '.join(sys.argv[1:2])} needs {library}, which is not installed. "
        "Install what it needs: pip install 'open-training-emissions[pipeline]'\n"
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
