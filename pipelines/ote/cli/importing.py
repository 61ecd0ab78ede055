"""`ote import`: the logs of other tools as runs.

Belongs here: options, what a person sees, exit codes. Does not belong here: how logs are read (imports.py).
"""

import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ote.answers import delimited, imports, locations, quantities, texts
from ote.answers import estimate as estimating
from ote.cli import terminal
from ote.cli.estimate import REJECTS, is_pipe, name_rejects, piped, say, show, table
from ote.cli.options import Country, Hardware, Pue, Region, State


def _pue(option: str, given: str | None) -> float | None:
    """A PUE that is given for a log, within the bounds of estimates."""
    if not given:
        return None
    try:
        pue = float(given)
    except ValueError:
        pue = math.nan
    if not math.isfinite(pue):
        terminal.fail(f"{option} {given!r}: expected a number from 1 to 2.5, such as 1.1")
    for _, _, says in estimating.impossible([{"pue": given}]):
        terminal.fail(f"{option} {says}")
    return pue


def _refuse_places(region: str | None, country: str | None, state: str | None) -> None:
    """End where a location is not known that is given for a log."""
    if region and not locations.cloud_region(region):
        terminal.fail(f"--region {locations.unknown_region(region)}")
    if country and not locations.country_code(country):
        terminal.fail(f"--country {locations.unknown_country(country)}")
    if state and not locations.is_state(state):
        terminal.fail(f"--state {state!r} is not a state or province with a known grid, such as Texas")


def import_(
    log: Annotated[
        Path,
        typer.Argument(
            help="Log of CodeCarbon, Carbontracker, eco2AI, sacct or nvidia-smi, or a Google Cloud bill; - "
            "reads standard input."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="File (.csv) to write the runs to, for ote estimate --batch. Default: print the runs."
        ),
    ] = None,
    hardware: Hardware = None,
    region: Region = None,
    country: Country = None,
    state: State = None,
    pue: Pue = None,
    pue_included: Annotated[
        str,
        typer.Option(help="PUE that the energies in the log already include, if the log does not state it."),
    ] = "",
    distinct_machines: Annotated[
        bool,
        typer.Option(
            "--distinct-machines",
            help="Count rows separately even if they look like the same machine at the same time.",
        ),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Convert nothing if one row of the log cannot be used.")
    ] = False,
) -> None:
    """Convert the log of another tool to a file with one row per run. CO2e in the log is not used.

    The options for hardware, location and PUE add facts that the log does not have.

    CodeCarbon writes several rows with the same run_id for one run; only the last of them is used. Rows that
    cannot be used are written to a file next to --out whose name ends in .rejects.csv, with line, column and
    reason. Other lines that do not belong to a run are listed.

    Example: ote import emissions.csv | ote report --as latex, or from a pipe: ssh host cat emissions.csv |
    ote import -, or step by step: ote import emissions.csv --out runs.csv && ote estimate --batch runs.csv
    --out estimates.csv && ote report estimates.csv
    """
    included = _pue("--pue-included", pue_included)
    _pue("--pue", pue)
    _refuse_places(region, country, state)
    _refuse_out(log, out)
    read = _read(log, included, distinct_machines, strict)
    location = {"cloud_region": region, "site_country": country, "site_state": state}
    for column in read.complete({"hardware": hardware, "pue": pue}, location):
        option = estimating.COLUMNS[column][0]
        say(f"{option} is not used: the log says the accelerator, PUE or location itself.", err=True)
    if out is not None:
        _write(read, _name(log), out)
    for sentence in [*read.left_out, *map(str, read.parts), *read.gaps()]:
        say(sentence[:1].upper() + sentence[1:], err=True)
    _print_rejects(read, _name(log), out)
    _print_runs(read, _name(log), out)


def _refuse_out(log: Path, out: Path | None) -> None:
    """End where the runs cannot go to a file."""
    if out is not None and out.suffix != ".csv":
        terminal.fail(f"--out {out}: expected a file that ends in .csv")
    if out is not None and out.exists() and log.exists() and out.samefile(log):
        terminal.fail(f"--out {out}: the log itself; the runs need another file")


def _name(log: Path) -> Path:
    """The log in messages."""
    return Path(texts.PIPE) if is_pipe(log) else log


def _read(log: Path, included: float | None, distinct_machines: bool, strict: bool) -> imports.Log:
    content = piped("import", "cat emissions.csv | ote import -") if is_pipe(log) else None
    try:
        read = imports.read(_name(log), included, distinct_machines, content)
        if strict:
            imports.refuse(_name(log), [*read.rejects, *read.parts])
    except imports.UnknownLogError as error:
        terminal.fail(str(error))
    return read


def _write(read: imports.Log, log: Path, out: Path) -> None:
    """Write the runs, and the rows that were not taken next to them; or remove those of an earlier time."""
    rejects = out.with_name(f"{out.stem}{REJECTS}")
    file = out
    try:
        imports.write(read, out)
        file = rejects
        _write_rejects(read, log, rejects)
    except OSError as error:
        terminal.fail(texts.unwritten(file, error))


def _write_rejects(read: imports.Log, log: Path, file: Path) -> None:
    if read.rejects:
        named = [replace(each, place=replace(each.place, file=log.name)) for each in read.rejects]
        delimited.write_rejects(named, file, with_files=True)
    else:
        file.unlink(missing_ok=True)


def _print_rejects(read: imports.Log, log: Path, out: Path | None) -> None:
    if out is None:
        name_rejects([f"{log}, {reject}" for reject in read.rejects])
    else:
        name_rejects(list(map(str, read.rejects)), f" (all in {out.with_name(f'{out.stem}{REJECTS}')})")


def _print_runs(read: imports.Log, log: Path, out: Path | None) -> None:
    """Where the runs are, or the runs: a table for a person, CSV for a pipe."""
    count = f"{quantities.counted(len(read.runs), 'run')} of {read.tool}"
    if out is not None:
        typer.echo(f"{count}: {out}")
    elif sys.stdout.isatty():
        known = (name for name in estimating.COLUMNS if any(run.get(name) for run in read.runs))
        names = [name for name in known if name != "metering"]  # said below, once
        titles = {"energy_kwh": "kWh"}
        made = table(*(titles.get(name, estimating.COLUMNS[name][0].removeprefix("--")) for name in names))
        for run in read.runs:
            made.add_row(*(run.get(name, "") for name in names))
        typer.echo(f"{count}:")
        show(made)
    else:
        typer.echo(imports.as_csv(read.runs, imports.left_out(Path(log.name), read.rejects)), nl=False)
    for metering in dict.fromkeys(run["metering"] for run in read.runs if run.get("metering")):
        say(f"Metering: {metering}.", err=out is None)
