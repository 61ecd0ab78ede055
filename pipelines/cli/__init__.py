"""The command line: which commands there are, and how it ends.

Belongs here: nothing else. Each command stands in the module of what it is about.
"""

import io
import os
import sys

import typer

from pipelines.cli import answers, build, contribute, estimate, releases, runs, update, version

ASK = "Ask the dataset"

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

app.command()(build.build)
app.command()(update.update)
app.command(rich_help_panel=ASK)(runs.find)
app.command(rich_help_panel=ASK)(answers.why)
app.command(rich_help_panel=ASK)(answers.where)
app.command(rich_help_panel=ASK)(contribute.explain)
app.command()(estimate.estimate)
app.command()(estimate.report)
app.command("import")(estimate.import_)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(contribute.add)
app.command()(releases.release)
app.command()(releases.diff)
app.command()(releases.verify)
app.command()(releases.publish)
app.command()(releases.get)


@app.callback()
def main(version: version.Version = False) -> None:
    """Open Training Emissions: energy and CO2e of training machine-learning models."""


def run() -> None:
    """The console script. Leaves at once when done: DuckDB's client reports leaks at interpreter exit."""
    code = 0
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a locale may lack letters of a name, or a path hold none
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except SystemExit as done:
        code = done.code if isinstance(done.code, int) else 1
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:  # who reads, such as head, has had enough
            code = code or 1
    os._exit(code)
