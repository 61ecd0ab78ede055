"""The command line: which commands there are, and how it ends.

Belongs here: nothing else. Each command stands in the cli_*.py of what it is about.
"""

import os
import sys

import typer

from pipelines import cli_answers, cli_build, cli_contribute, cli_estimate, cli_releases

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

app.command()(cli_build.build)
app.command()(cli_build.accept)
app.command()(cli_build.register)
app.command()(cli_answers.where)
app.command()(cli_answers.why)
app.command()(cli_estimate.estimate)
app.command()(cli_estimate.report)
app.command("import")(cli_estimate.import_)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(cli_contribute.add)
app.command()(cli_contribute.explain)
app.command()(cli_releases.release)
app.command()(cli_releases.diff)
app.command()(cli_releases.verify)
app.command()(cli_releases.publish)
app.command()(cli_releases.get)


@app.callback()
def main() -> None:
    """Open Training Emissions: energy and CO2e of training machine-learning models."""


def run() -> None:
    """The console script. Leaves at once when done: DuckDB's client reports leaks at interpreter exit."""
    code = 0
    try:
        app()
    except SystemExit as done:
        code = done.code if isinstance(done.code, int) else 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
