"""The command line: which commands there are, and how it ends.

Belongs here: nothing else. Each command stands in the module of what it is about.
"""

import io
import os
import sys

import typer

from pipelines.cli import answers, build, contribute, estimate, releases, runs, update, version

ASK, YOURS = "Ask the dataset", "Your own run"
FACTS, RUN = "Add facts", "Run the pipeline"

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

app.command(rich_help_panel=ASK)(runs.find)
app.command(rich_help_panel=ASK)(answers.why)
app.command(rich_help_panel=ASK)(answers.where)
app.command(rich_help_panel=ASK)(contribute.explain)
app.command(rich_help_panel=YOURS)(estimate.estimate)
app.command("import", rich_help_panel=YOURS)(estimate.import_)
app.command(rich_help_panel=YOURS)(estimate.report)
app.command(
    rich_help_panel=FACTS, context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)(contribute.add)
app.command(rich_help_panel=RUN)(build.build)
app.command(rich_help_panel=RUN)(update.update)

release = typer.Typer(no_args_is_help=True, help="Make, compare, check, publish and download releases.")
app.add_typer(release, name="release", rich_help_panel=RUN)
release.command("make")(releases.release)
for command in (releases.diff, releases.verify, releases.publish, releases.get):
    release.command()(command)
    app.command(hidden=True)(command)  # the short name, as texts and scripts of 0.x have it


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
