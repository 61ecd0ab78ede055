"""`ote find`, and the list of the runs that a name may mean.

Belongs here: options, what a person sees, exit codes. Does not belong here: which runs are found (search.py),
or which run a name means (names.py).
"""

import csv
import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from ote import catalog
from ote.answers import asking, names, quantities, search
from ote.answers.published import DATABASE, NoDatabaseError, open_database
from ote.cli import terminal
from ote.cli.options import AsJson, Database, number, whole
from ote.errors import Error

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 20
NAME_COLUMNS = 24, 36  # of the column of runs: at least, and what 80 columns leave to it


class Sort(StrEnum):
    """What a list of runs is sorted by; guesses always come last."""

    energy = "energy"
    co2e = "co2e"
    interval = "interval"
    published = "published"
    name = "name"


class By(StrEnum):
    """What runs are counted by, instead of being listed."""

    organisation = "organisation"


Words = Annotated[
    list[str] | None,
    typer.Argument(help="Words of the model's name or its developer. A run must match all words."),
]
Developer = Annotated[
    str,
    typer.Option(
        "--developer", "--organisation", help="Developer or its organisation: the name or its beginning."
    ),
]
AnyCountry = Annotated[str, typer.Option(help="Country of a developer or of the run, as code or name.")]
Years = Annotated[str, typer.Option(help="Year of publication, such as 2023, or a range, such as 2020-2023.")]
AnyHardware = Annotated[str, typer.Option(help="Accelerator: its name or the beginning of its name.")]
Domain = Annotated[str, typer.Option(help="What the model works on, such as language.")]
Covers = Annotated[str, typer.Option(help="List only rows of this kind, such as one_run (a whole run).")]
Hours = Annotated[
    list[str] | None,
    typer.Option(
        help="How the accelerator-hours are known: published, or any basis of hours. Can be repeated."
    ),
]
Within = Annotated[
    float | None,
    typer.Option(
        help="List only runs with an uncertainty of at most this factor (x/÷, 90 %), such as 2.",
        parser=number("2 (from half to twice the estimate)", 1),
        metavar="<float>",
    ),
]
MinEnergy = Annotated[
    str, typer.Option(help="List only runs with at least this energy, such as 500 (MWh) or 2GWh.")
]
Order = Annotated[
    Sort,
    typer.Option(
        help="Sort by energy or co2e (largest first), interval (narrowest first), published (newest first) "
        "or name. Guesses are listed after all other runs.",
        metavar="<order>",
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(
        help="How many runs to list; 0 lists all. Default: 20; with --json or --csv, all.",
        parser=whole(0),
        metavar="<int>",
    ),
]
Counted = Annotated[
    By | None,
    typer.Option(
        "--by",
        help="Count runs instead of listing them: organisation shows which organisation published most.",
        metavar="<name>",
    ),
]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV, for spreadsheets.")]


def find(
    words: Words = None,
    developer: Developer = "",
    country: AnyCountry = "",
    year: Years = "",
    hardware: AnyHardware = "",
    domain: Domain = "",
    covers: Covers = "",
    hours: Hours = None,
    within: Within = None,
    min_energy: MinEnergy = "",
    sort: Order = Sort.energy,
    limit: Limit = None,
    by: Counted = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    database: Database = DATABASE,
) -> None:
    """List and search training runs: energy and CO2e with 90 % intervals, and how solid they are.

    A guess is an estimate with a very wide interval. In JSON and CSV its value is null, and null_because
    gives the reason; the interval (p05, p95) is given.

    Example: ote find llama 70b, or: ote find --developer google --year 2021-2023 --hours published, or, to
    see which organisation publishes most: ote find --by organisation
    """
    if as_json and as_csv:
        terminal.fail("--json and --csv: give one of them.")
    words = [word for given in words or [] for word in given.split()]
    if by:
        if words or any((developer, country, year, hardware, domain, covers, hours, within, min_energy)):
            terminal.fail(
                f"--by {by} counts all runs: of the other options, only --limit, --json and --csv go with it."
            )
        _print_disclosures(database, limit, as_json=as_json, as_csv=as_csv)
        return
    try:
        with open_database(database, search.PROBE) as connection:
            asked = asking.Asked(
                words=words, developer=developer, country=country, year=year, hardware=hardware,
                domain=domain, covers=covers, hours=hours or (), within=within, min_energy=min_energy,
            )  # fmt: skip
            found = search.search(connection, asking.wanted(connection, asked), sort)
            absent = search.without_estimate(connection, words) if words else []
            near = names.nearest(connection, " ".join(words)) if words and not found else []
    except Error as error:
        terminal.fail(str(error))
    _print_found(found, limit, absent, as_json=as_json, as_csv=as_csv)
    if not found:
        hint = f"the nearest names: {', '.join(near)}." if near else "ote find alone lists the largest runs."
        terminal.fail(f"No run with an estimate matches. Give fewer words or options; {hint}")


def _print_disclosures(database: Path, limit: int | None, *, as_json: bool, as_csv: bool) -> None:
    """How many runs of each organisation have which published fact."""
    try:
        with open_database(database, search.PROBE) as connection:
            rows = search.disclosures(connection)
    except NoDatabaseError as error:
        terminal.fail(str(error))
    if as_json:
        _print_json(rows[: limit or None])
        return
    if as_csv:
        writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[: limit or None])
        return
    shown = rows[: (SHOWN if limit is None else limit) or None]
    headers = ("facts", "runs", *search.FACTS)
    made = terminal.table("organisation", *headers, right=headers, whole=headers)
    for row in shown:
        made.add_row(row["organisation"], *(f"{row[name]:,}" for name in headers))
    with terminal.page() as console:
        console.print(made)
        console.print(
            f"{len(rows):,} organisations, {len(shown):,} shown. Runs with published accelerator-hours, "
            "measured power, location and PUE; facts is the sum of the four. Runs without an "
            "estimate count too."
        )


def _print_found(
    found: list[search.Run], limit: int | None, absent: list[str], *, as_json: bool, as_csv: bool
) -> None:
    if as_json or as_csv:
        (_print_json if as_json else _print_csv)(search.without_guesses(found[: limit or None]))
        return
    shown = found[: (SHOWN if limit is None else limit) or None]
    if not (shown or absent):
        return
    with terminal.page() as console:
        if shown:
            print_runs(console, shown)
            more = len(found) - len(shown)
            hint = "; --limit 0 shows all" if more else ""
            console.print(f"{quantities.counted(len(found), 'run')}, {len(shown):,} shown{hint}.")
        if absent:
            noun = quantities.counted(len(absent), "model")
            verb = "has" if len(absent) == 1 else "have"
            console.print(f"{noun} of that name {verb} no estimate: {names.shown(absent)}.")


def print_runs(console: "Console", runs: Sequence[search.Run]) -> None:
    """A table of runs: each with its interval in the second line, guesses without a number."""
    is_wide = terminal.is_wide(console)
    about, last = (("developer", "published"), ("source of the hours",)) if is_wide else ((), ())
    made = terminal.table("run", *about, "energy", "CO2e", *last, whole=("energy", "CO2e"))
    least, most = NAME_COLUMNS
    if not is_wide:
        most = console.width - 6 - sum(_widest(runs, name) for name in ("energy_mwh", "co2e_lifecycle_t"))
    longest = max(len(run["run_id"]) for run in runs)
    made.columns[0].width = min(max(longest, least), most) if is_wide else most  # no id that fits is broken
    for run in runs:
        developer = terminal.listed(run["developer"])
        year = "" if run["published_date"] is None else f"{run['published_date'].year}"
        name = run["model"] if run["model"] == run["run_id"] else f"{run['model']}\n{run['run_id']}"
        below = ", ".join(filter(None, (developer, year)))
        made.add_row(
            name if is_wide else "\n".join(filter(None, (name, below, _known_from(run)))),
            *((developer, year) if is_wide else ()),
            _amount(quantities.energy, quantities.energy_span, run, "energy_mwh"),
            _amount(quantities.mass, quantities.mass_span, run, "co2e_lifecycle_t"),
            *((_known_from(run),) if is_wide else ()),
        )
    console.print(made)
    if whole_ids := [run["run_id"] for run in runs if len(run["run_id"]) > most]:
        console.print("Ids that the table breaks, unbroken:", *whole_ids, sep="\n", soft_wrap=True)
    guesses = sum(run["is_guess"] for run in runs)
    text = (
        "Second line of energy and CO2e: 90 % interval. CO2e is life-cycle, to compare runs (ote why shows "
        f"gross and net). Last {'column' if is_wide else 'line of a run'}: how solid the energy is "
        "(measured, disclosed, inferred or guessed), and where the hours are from."
    )
    if guesses:
        text += (
            f" {quantities.counted(guesses, 'guess', 'guesses')}: the upper end of the interval is more than "
            f"{quantities.GUESS_RATIO} times the lower end, so only the interval is shown."
        )
    console.print(text)


def _amount(scaled: Any, span: Any, run: search.Run, column: str) -> str:
    if run[column] is None:
        return "unknown"
    low, high = run[f"{column}_p05"], run[f"{column}_p95"]
    first = "a guess" if quantities.is_guess(low, high) else scaled(run[column])
    return f"{first}\n{span(low, high)}"


def _widest(runs: Sequence[search.Run], column: str) -> int:
    """Columns of the terminal that the amounts of runs take."""
    kind: tuple[Any, Any] = (
        (quantities.energy, quantities.energy_span)
        if column == "energy_mwh"
        else (quantities.mass, quantities.mass_span)
    )
    return max(len(line) for run in runs for line in _amount(*kind, run, column).splitlines())


def _known_from(run: search.Run) -> str:
    """How solid a run is and how its hours are known; and what the row covers if not one whole run."""
    basis = catalog.label(*search.hours_basis(run))
    covers = "" if run["covers"] == "one_run" else f" ({catalog.label('covers', run['covers'])})"
    return f"{run['solidity']}: {basis}{covers}"


def _print_json(found: list[search.Run]) -> None:
    typer.echo(json.dumps(found, indent=1, default=str))


def _print_csv(found: list[search.Run]) -> None:
    writer = csv.DictWriter(
        sys.stdout, [*search.COLUMNS, "interval_factor", "is_guess", "null_because"], lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows({name: _cell(cell) for name, cell in run.items()} for run in found)


def _cell(cell: Any) -> Any:
    return str(cell).lower() if isinstance(cell, bool) else cell


def fail_unknown(error: names.UnknownRunError, name: str, database: Path, as_json: bool = False) -> NoReturn:
    """End with code 2, and with the runs that may be meant: a table on stderr, or JSON on stdout.

    Runs that only look like the name are named and not shown.
    """
    with open_database(database, search.PROBE) as connection:
        runs, absent = search.of_runs(connection, error.run_ids)
    if as_json:
        found = {"error": str(error), "run_ids": error.run_ids, "runs": search.without_guesses(runs)}
        typer.echo(json.dumps(found, indent=1, default=str))
    if as_json or error.are_near or not error.run_ids:
        terminal.fail(str(error))
    with terminal.page(is_error=True) as console:
        console.print(f"{error.says}:")
        if runs:
            print_runs(console, runs[: names.SHOWN_RUNS])
        if absent:
            console.print(f"Without an estimate: {names.shown(absent)}.")
        if len(runs) > names.SHOWN_RUNS:
            more = quantities.counted(len(runs) - names.SHOWN_RUNS, "more run")
            console.print(f"And {more}; ote find {name} lists them.")
        console.print("Give one run_id (the second line of each run).")
    raise typer.Exit(2)
